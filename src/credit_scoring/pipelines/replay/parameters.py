"""Parameters of the replay pipeline."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from credit_scoring.registry.versions import MODEL_NAME


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class ReplayParameters(BaseModel):
    """Which decisions are decided again; all if nothing is set.

    Attributes:
        registered_model: Name of the model in MLflow and in BentoML's store.
        decision_id: This decision, and what the challenger made of it.
        since: Leaves out earlier decisions; a day is its begin, without a zone
            it is UTC.
        until: Leaves out decisions of this time and later.
        most_differences: So many rows has the table of differences, at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    registered_model: str = MODEL_NAME
    decision_id: str | None = Field(default=None, max_length=64)
    since: Moment | None = None
    until: Moment | None = None
    most_differences: int = Field(default=10_000, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _span_is_not_empty(self) -> "ReplayParameters":
        if self.since and self.until and self.since >= self.until:
            raise ValueError("until must be later than since")
        return self
