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


class TrainingParameters(BaseModel):
    """What holds for the candidates of both families.

    Attributes:
        min_calibration_bads: Fewest bads of the calibration split; fewer give no
            slope that can be trusted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_calibration_bads: int = Field(default=50, ge=2)
