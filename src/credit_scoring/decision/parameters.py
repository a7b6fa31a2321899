"""The decision's parameters, as ``conf/base/parameters_decision.yml`` has them."""

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.decision.policy import Policy
from credit_scoring.scorecard.scaling import ScoreScaling


class BackgroundParameters(BaseModel):
    """Which approved applicants a score is compared with for its reasons.

    Attributes:
        within_points: All approved at most this far above the cut-off.
        minimum_rows: But at least so many, the lowest-scored ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    within_points: float = Field(gt=0)
    minimum_rows: int = Field(ge=1)


class DecisionParameters(BaseModel):
    """Points scale, policy, and the background of the reasons."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scaling: ScoreScaling
    policy: Policy
    background: BackgroundParameters
