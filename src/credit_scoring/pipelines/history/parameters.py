"""Parameters of the history pipeline."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from credit_scoring.registry.versions import MODEL_NAME


class HistoryParameters(BaseModel):
    """Which day is asked for.

    Attributes:
        registered_model: Name of the model in MLflow.
        day: The end of this day (UTC) is looked at; None for now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    registered_model: str = MODEL_NAME
    day: date | None = None
