"""What a candidate must reach, gate by gate."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.evaluation.bootstrap import BootstrapParameters
from credit_scoring.evaluation.delong import Mode
from credit_scoring.evaluation.fairness import Group
from credit_scoring.evaluation.profit import CostTable


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Bounds(_Frozen):
    """A closed range."""

    low: float
    high: float


class ChampionTest(_Frozen):
    """How a candidate's AUC is compared with the champion's.

    Attributes:
        mode: Whether it must be no worse, or better.
        margin: How much worse is as good, or how much better is better.
        level: Coverage of the interval; the test is one-sided at half the rest.
    """

    mode: Mode = "non_inferiority"
    margin: float = Field(ge=0, lt=0.5)
    level: float = Field(default=0.95, gt=0, lt=1)


class CalibrationGates(_Frozen):
    """How well PDs must agree with outcomes.

    Attributes:
        rule: Whether the whole interval must lie within the bounds, or the
            figure alone.
        level: Coverage of the intervals.
        slope: Bounds of the recalibration's slope; 1 is perfect.
        in_the_large: Bounds of the shift of the log-odds that makes the mean PD
            equal to the bad rate; 0 is perfect.
        spiegelhalter_p: Least p-value of Spiegelhalter's test; 0 asks nothing.
        likelihood_ratio_p: Least p-value of the joint test; 0 asks nothing.
    """

    rule: Literal["interval", "estimate"] = "interval"
    level: float = Field(default=0.90, gt=0, lt=1)
    slope: Bounds
    in_the_large: Bounds
    spiegelhalter_p: float = Field(ge=0, lt=1)
    likelihood_ratio_p: float = Field(ge=0, lt=1)


class StabilityGates(_Frozen):
    """How far test rows may lie from the training rows.

    Attributes:
        score_psi: Highest PSI of the score.
        feature_psi: Highest PSI of any feature.
        level: Coverage of the intervals, whose upper ends are asked; for the
            features together.
    """

    score_psi: float = Field(gt=0)
    feature_psi: float = Field(gt=0)
    level: float = Field(default=0.95, gt=0, lt=1)


class MonotonicityGate(_Frozen):
    """How thoroughly directions are tried.

    Attributes:
        rows: Applicants whose features are moved.
        values: Observed values that each feature is moved over.
    """

    rows: int = Field(ge=1)
    values: int = Field(ge=2)


class Attribute(_Frozen):
    """A protected attribute, and its groups.

    Attributes:
        column: Contract column that holds it.
        groups: Name -> which of its values.
        judged: Whether its gates can refuse; else it is only reported.
    """

    column: str
    groups: dict[str, Group] = Field(min_length=2)
    judged: bool = True


class FairnessGates(_Frozen):
    """What a jurisdiction asks of approvals and scores by group.

    Attributes:
        attributes: Name -> a protected attribute; None takes one of another
            environment away.
        waiver: Why there is nothing to measure, where there is not. Without
            attributes and without it nobody is promoted.
        rule: Whether the figure must reach its threshold, or the lower end of
            its interval.
        level: Coverage of the intervals.
        impact_ratio: Least approval rate over that of the group with the
            highest; 0 asks nothing.
        score_difference: How many pooled standard deviations a group's mean
            score may lie below the reference's.
        opportunity_difference: How much lower its approval rate among goods
            may be.
        minimum_rows: A smaller group cannot be measured.
        small_rows: In a smaller group a shortfall of the figure counts if it is
            more than chance: if the whole interval falls short of equality.
        reference_share: Least share of the rows of the group that others are
            compared with.
        unassigned_share: Highest share of the rows that may be in no group.
    """

    attributes: dict[str, Attribute | None]
    waiver: str | None = Field(default=None, min_length=1)
    rule: Literal["estimate", "interval"] = "estimate"
    level: float = Field(default=0.95, gt=0, lt=1)
    impact_ratio: float = Field(ge=0, le=1)
    score_difference: float = Field(ge=0)
    opportunity_difference: float = Field(ge=0, le=1)
    minimum_rows: int = Field(ge=1)
    small_rows: int = Field(ge=1)
    reference_share: float = Field(gt=0, lt=1)
    unassigned_share: float = Field(ge=0, le=1)

    @property
    def asked(self) -> dict[str, Attribute]:
        """Name -> attribute, without those taken away."""
        return {name: one for name, one in self.attributes.items() if one is not None}


class LatencyGate(_Frozen):
    """How long a decision with its reasons may take, in this process.

    Attributes:
        rows: Decisions that are timed, one by one.
        median_ms: Highest median.
    """

    rows: int = Field(ge=1)
    median_ms: float = Field(gt=0)


class ProfitGates(_Frozen):
    """What approving must earn.

    Attributes:
        costs: What a good earns and a bad costs.
        bootstrap: How intervals are found.
        minimum: What the lower end must reach, as a share of all that was
            applied for.
        margin: How much less than the champion's the profit may be, by the
            lower end of the difference.
    """

    costs: CostTable
    bootstrap: BootstrapParameters
    minimum: float
    margin: float = Field(ge=0)


class GateParameters(_Frozen):
    """What a candidate must reach.

    Attributes:
        minimum_auc: AUC on the test rows, below which nothing has a role.
        against_champion: Comparison of AUCs.
        calibration: Agreement of PDs with outcomes.
        stability: Distance of test rows from training rows.
        monotonicity: How directions are tried; none may fail.
        fairness: By group.
        latency: Time of a decision.
        profit: By the policy's approvals.
    """

    minimum_auc: float = Field(ge=0.5, lt=1)
    against_champion: ChampionTest
    calibration: CalibrationGates
    stability: StabilityGates
    monotonicity: MonotonicityGate
    fairness: FairnessGates
    latency: LatencyGate
    profit: ProfitGates
