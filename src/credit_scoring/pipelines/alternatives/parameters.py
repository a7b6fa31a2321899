"""Parameters of the alternatives pipeline."""

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.evaluation.bootstrap import BootstrapParameters


class AlternativesParameters(BaseModel):
    """How far the search for less discriminatory alternatives goes.

    Attributes:
        seed: Seed of the random subsets and of every fit.
        most_models: Fits, about a second each on one core.
        time_limit_s: The search stops after so long, and says so; within it the
            same seed gives the same models.
        score_bins: Bins of the score in which proxies are looked for.
        drops: How many of an attribute's strongest proxies to leave out, in turn.
        depths: Depths of trees to try with all features.
        cut_off_shifts: Points by which the approve cut-off is moved.
        bootstrap: How intervals are found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=1, ge=0)
    most_models: int = Field(default=80, ge=2)
    time_limit_s: float = Field(default=240, gt=0)
    score_bins: int = Field(default=10, ge=1)
    drops: tuple[int, ...] = (1, 2, 3, 5, 8, 12, 18, 26)
    depths: tuple[int, ...] = (1, 2, 3)
    cut_off_shifts: tuple[float, ...] = (-60, -40, -20, 0, 20, 40, 60)
    bootstrap: BootstrapParameters = BootstrapParameters()
