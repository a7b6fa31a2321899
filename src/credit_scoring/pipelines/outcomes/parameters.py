"""Parameters of the outcomes pipeline."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


class OutcomesParameters(BaseModel):
    """When a decision is mature.

    Attributes:
        window_months: Performance window in calendar months: that of the target,
            so that outcomes and PDs are about the same thing.
        as_of: What came later is not looked at; None for now.
        carried: Contract columns of the applications that stay beside the
            decisions, as numbers: the amount at stake, where profit is measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_months: int = Field(ge=1, le=120)
    as_of: Annotated[datetime, AfterValidator(_in_utc)] | None = None
    carried: tuple[str, ...] = ()
