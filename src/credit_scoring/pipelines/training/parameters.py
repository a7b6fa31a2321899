"""Parameters of a candidate, whichever family it is of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

from credit_scoring.boosting.parameters import BoostingParameters
from credit_scoring.scorecard.parameters import ScorecardParameters


class CandidateParameters(
    RootModel[
        Annotated[
            ScorecardParameters | BoostingParameters, Field(discriminator="family")
        ]
    ]
):
    """How a candidate is fitted; ``family`` says which of the two it is."""

    model_config = ConfigDict(frozen=True)


class PdIntervalParameters(BaseModel):
    """How the intervals of the PD are found on the calibration split.

    Attributes:
        level: How often an interval holds the bad rate, at least.
        window_rows: Rows on each side that an end rests on.
        steps: Most margins at which the ends change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: float = Field(default=0.95, gt=0, lt=1)
    window_rows: int = Field(default=400, ge=10)
    steps: int = Field(default=200, ge=2, le=2000)


class TrainingParameters(BaseModel):
    """What holds for the candidates of both families.

    Attributes:
        min_calibration_bads: Fewest bads of the calibration split; fewer give no
            slope that can be trusted.
        pd_interval: How the intervals of the PD are found.
        range_tail: Share of the training rows beyond each end of a feature's
            training range; 0 makes it reach from the lowest value to the highest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_calibration_bads: int = Field(default=50, ge=2)
    pd_interval: PdIntervalParameters = PdIntervalParameters()
    range_tail: float = Field(default=0, ge=0, lt=0.05)
