"""Parameters of the scorecard candidate: bins, selection, search."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class BinningParameters(BaseModel):
    """How finely features are cut.

    Attributes:
        max_prebins: Most bins that the best cut is put together from.
        min_prebin_share: Smallest share of the rows in one of them.
        max_bins: Most bins of a feature.
        min_bin_share: Smallest share of the rows in a bin.
        min_missing_rows: With fewer missing values, a missing value says nothing.
        time_limit_s: Longest time for one feature; a feature that needs more stops
            the run, as its bins would depend on the machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_prebins: int = Field(default=20, ge=2, le=40)
    min_prebin_share: float = Field(default=0.02, gt=0, lt=0.5)
    max_bins: int = Field(default=8, ge=2)
    min_bin_share: float = Field(default=0.03, gt=0, lt=0.5)
    min_missing_rows: int = Field(default=50, ge=1)
    time_limit_s: float = Field(default=30, gt=0)


class SearchRange(BaseModel):
    """Bounds of one hyper-parameter, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class ScorecardParameters(BaseModel):
    """How the scorecard candidate is searched and fitted.

    Attributes:
        family: Tells these parameters from those of other families.
        seed: Seed of the search.
        n_trials: Budget of the search.
        min_information_value: Features below it are left out.
        c: Where the search looks, on a logarithmic scale, for the inverse strength
            of the L2 regularisation.
        max_correlation: Where it looks for the largest absolute correlation of two
            features' weights of evidence.
        binning: How finely features are cut.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Literal["scorecard"] = "scorecard"
    seed: int = Field(default=1, ge=0)
    n_trials: int = Field(default=12, ge=1)
    min_information_value: float = Field(default=0.02, ge=0)
    c: SearchRange = SearchRange(low=0.003, high=1)
    max_correlation: SearchRange = SearchRange(low=0.75, high=0.95)
    binning: BinningParameters = BinningParameters()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.c.low <= 0:
            raise ValueError(f"c starts above 0, not at {self.c.low}")
        if self.max_correlation.low <= 0 or self.max_correlation.high > 1:
            raise ValueError("max_correlation lies in (0, 1]")
        return self
