"""Settings of the store: one definition for the service and the pipelines."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from credit_scoring.errors import FeatureStoreError

_SECONDS_OF_A_DAY = 86_400


class HistorySettings(BaseModel):
    """Where histories are, and how long they are waited for and kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    redis_url: SecretStr | None = Field(
        default=None,
        description=(
            "Redis server that holds histories by `loan_id`. Without it, "
            "applications without history are referred."
        ),
        json_schema_extra={
            "allowed": "`redis://`, `rediss://` (TLS) or `unix://` address"
        },
    )
    redis_namespace: str = Field(
        default="default",
        pattern=r"^[A-Za-z0-9_-]{1,32}$",
        description="Tells the environments apart that share a Redis server.",
        json_schema_extra={"allowed": "1 to 32 letters, digits, `-`, `_`"},
    )
    redis_timeout_ms: int = Field(
        default=20,
        ge=1,
        le=1000,
        description="Longest wait of an answer for a history from Redis.",
    )
    redis_connect_timeout_ms: int = Field(
        default=1000,
        ge=10,
        le=60_000,
        description="Longest time to connect to Redis while no answer waits for it.",
    )
    redis_retry_ms: int = Field(
        default=500,
        ge=10,
        le=60_000,
        description="Time between attempts while Redis does not answer.",
    )
    history_ttl_days: int = Field(
        default=35,
        ge=1,
        le=3650,
        description=(
            "After so many days a history in Redis is forgotten: its newest month "
            "is no longer the newest."
        ),
    )
    history_queue_length: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description=(
            "Most histories that wait to be written to Redis; the oldest are dropped."
        ),
    )

    @field_validator("redis_url")
    @classmethod
    def _address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            # Redis is needed by those alone who have one.
            from credit_scoring.feature_store.connection import check_address

            try:
                check_address(value.get_secret_value())
            except FeatureStoreError as error:
                raise ValueError(str(error)) from None
        return value

    @property
    def seconds_to_live(self) -> int:
        """After so long a history is forgotten."""
        return self.history_ttl_days * _SECONDS_OF_A_DAY
