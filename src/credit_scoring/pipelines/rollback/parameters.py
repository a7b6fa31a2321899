"""Parameters of the rollback pipeline."""

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.registry.versions import MODEL_NAME


class RollbackParameters(BaseModel):
    """Which champion returns, and why.

    Attributes:
        registered_model: Name of the model in MLflow.
        version: Registered version; None for the champion before this one.
        why: Recorded and signed; a rollback without a reason is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    registered_model: str = MODEL_NAME
    version: int | None = Field(default=None, ge=1)
    why: str = Field(default="", max_length=1000)
