"""Parameters of the history pipeline."""

from datetime import date

from pydantic import BaseModel, ConfigDict


class HistoryParameters(BaseModel):
    """Which day is asked for.

    Attributes:
        day: The end of this day (UTC) is looked at; None for now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: date | None = None
