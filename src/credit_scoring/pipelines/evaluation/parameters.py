"""Parameters of the evaluation pipeline."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.evaluation.bootstrap import BootstrapParameters

Split = Literal["train", "validation", "calibration", "test"]


class EvaluationParameters(BaseModel):
    """What is measured, on which split, and what is drawn.

    Attributes:
        bootstrap: How the intervals are found.
        interval_splits: Splits whose measures have intervals.
        reported_split: The split of the tables and plots.
        reliability_bins: Bins of the reliability table.
        psi_bins: Bins of the population stability index.
        features_in_importance: Features in the plot of importance.
        features_in_bins: Features in the plot of bins, the strongest first.
        vintage: Period of the table by time, for a contract with a date.
        bins_of_a_feature: Bins of a feature in it, for a model without its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap: BootstrapParameters = BootstrapParameters()
    interval_splits: tuple[Split, ...] = ("test",)
    reported_split: Split = "test"
    reliability_bins: int = Field(default=10, ge=2)
    psi_bins: int = Field(default=10, ge=2)
    vintage: Literal["month", "quarter", "year"] = "quarter"
    features_in_importance: int = Field(default=15, ge=1)
    features_in_bins: int = Field(default=6, ge=1, le=12)
    bins_of_a_feature: int = Field(default=6, ge=2, le=10)
