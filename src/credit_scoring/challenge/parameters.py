"""What a challenge asks, and what its verdict may do."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from credit_scoring.registry.versions import MODEL_NAME

Design = Literal["shadow", "split"]
MeasureName = Literal["auc", "brier", "log_loss", "profit"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Differences(_Frozen):
    """The smallest difference that matters, for each measure.

    Attributes:
        auc: Of two AUCs.
        brier: Of two Brier scores.
        log_loss: Of two mean log losses, in nats.
        profit: Of two profits, as shares of all that was at stake.
    """

    auc: float = Field(gt=0, lt=0.5)
    brier: float = Field(gt=0, lt=1)
    log_loss: float = Field(gt=0)
    profit: float = Field(gt=0)


class Primary(_Frozen):
    """The measure that decides, for each design.

    Attributes:
        shadow: On the same applicants.
        split: On two groups of applicants.
    """

    shadow: MeasureName = "log_loss"
    split: MeasureName = "profit"


class ChallengeParameters(_Frozen):
    """How champion and challenger are compared on realised outcomes.

    Attributes:
        registered_model: Name of the model in MLflow.
        design: Whether the challenger followed in the shadow or decided on a share.
        among: Whom the paired measures look at. ``both``: whom both models would
            approve; ``champion``: all whom the champion let through.
        primary: The measure that decides.
        level: Coverage of each interval at all looks together.
        power: Wanted chance to show the smallest difference that matters.
        smallest_difference: What matters.
        promote_above: What the lower end of the primary gain must exceed.
        retire_below: Below it the upper end retires the challenger.
        minimum_outcomes: Fewer compared outcomes decide nothing.
        minimum_bads: Fewer bads among them decide nothing.
        followed_share: Least share of the decisions on which the challenger did
            what was asked of it: followed, or decided on its arm.
        challenger_share: Share of the applicants that `split` was set to.
        balance_p: Least p-value of the arms' sizes under that share.
        ask_slope: Whether the slope of the calibration is a gate. Among those with
            an outcome it is that of a part of the range.
        carry_out: Whether the verdict changes roles, or is only reported.
    """

    registered_model: str = Field(default=MODEL_NAME, pattern=r"^[a-z][a-z0-9_]*$")
    design: Design = "shadow"
    among: Literal["both", "champion"] = "both"
    primary: Primary = Primary()
    level: float = Field(default=0.95, ge=0.5, lt=1)
    power: float = Field(default=0.80, gt=0, lt=1)
    smallest_difference: Differences
    promote_above: float = 0.0
    retire_below: float = 0.0
    minimum_outcomes: int = Field(default=500, ge=4)
    minimum_bads: int = Field(default=50, ge=2)
    followed_share: float = Field(default=0.95, ge=0, le=1)
    challenger_share: float = Field(default=0.1, gt=0, lt=1)
    balance_p: float = Field(default=0.001, ge=0, lt=1)
    ask_slope: bool = False
    carry_out: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> "ChallengeParameters":
        if self.retire_below > self.promote_above:
            raise ValueError(
                "retire_below is above promote_above: one interval could ask for both"
            )
        return self

    @property
    def deciding(self) -> MeasureName:
        """The primary measure of the design."""
        primary: MeasureName = getattr(self.primary, self.design)
        return primary
