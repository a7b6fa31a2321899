"""Parameters of monitoring: windows, marks, and what is too little to judge by."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from credit_scoring.registry.gate_parameters import Attribute
from credit_scoring.registry.versions import MODEL_NAME


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DriftMarks(_Frozen):
    """When a shift is told.

    Attributes:
        level: A shift counts if its p-value, corrected for how many there are, is
            at most this.
        psi_warn: From this PSI on it is a warning.
        psi_alert: From this PSI of the score on it is an alert; of a feature it
            stays a warning.
        missing_points: A feature is missing more or less often by so much.
        approval_points: The approval rate differs from earlier windows by so much.
    """

    level: float = Field(default=0.01, gt=0, lt=1)
    psi_warn: float = Field(default=0.1, gt=0)
    psi_alert: float = Field(default=0.25, gt=0)
    missing_points: float = Field(default=0.05, gt=0, lt=1)
    approval_points: float = Field(default=0.05, gt=0, lt=1)


class OutcomeMarks(_Frozen):
    """When matured outcomes contradict the PDs.

    Attributes:
        least: With fewer outcomes, or fewer than a tenth as many of either kind,
            nothing is said.
        level: Coverage of the intervals.
        in_the_large_warn: Shift of the log-odds, beyond chance, that is a warning.
        in_the_large_alert: The same for an alert.
        slope_low: A slope that is below this, beyond chance, is a warning.
        slope_high: The same above.
    """

    least: int = Field(default=200, ge=20)
    level: float = Field(default=0.95, gt=0, lt=1)
    in_the_large_warn: float = Field(default=0.2, gt=0)
    in_the_large_alert: float = Field(default=0.5, gt=0)
    slope_low: float = Field(default=0.8, gt=0)
    slope_high: float = Field(default=1.25, gt=0)


class LiveFairness(_Frozen):
    """How approvals of groups are compared.

    Attributes:
        attributes: Name -> a protected attribute; None takes one of another
            environment away.
        impact_ratio: Least approval rate over that of the group with the highest.
        level: Coverage of the intervals.
        small_rows: A smaller group is not judged.
        reference_share: Least share of the rows of the group compared with.
    """

    attributes: dict[str, Attribute | None] = Field(default_factory=dict)
    impact_ratio: float = Field(default=0.8, gt=0, le=1)
    level: float = Field(default=0.95, gt=0, lt=1)
    small_rows: int = Field(default=200, ge=1)
    reference_share: float = Field(default=0.02, gt=0, lt=1)

    @property
    def asked(self) -> dict[str, Attribute]:
        """Name -> attribute, without those taken away."""
        return {name: one for name, one in self.attributes.items() if one is not None}


class MonitoringParameters(_Frozen):
    """What a monitoring run does.

    Attributes:
        registered_model: Name of the model in MLflow and in BentoML's store.
        window_hours: Length of a window; windows begin at the epoch in UTC.
        settle_minutes: A window is over so long after its end, so that segments of
            all workers can be there.
        since: Windows that begin earlier are left alone; None for none.
        as_of: What came later is not looked at; None for now.
        least_decisions: With fewer decisions a window is not judged.
        sample_rows: So many decisions of a window, at most, go into Evidently's
            report, and as many training applications; 0 makes no report.
        seed: Draws them.
        earlier_windows: Approval rates are compared with so many windows before.
        drift: Marks of drift.
        outcomes: Marks of calibration.
        fairness: Groups.
    """

    registered_model: str = MODEL_NAME
    window_hours: int = Field(default=24, ge=1, le=24 * 366)
    settle_minutes: int = Field(default=60, ge=0, le=60 * 24 * 7)
    since: Moment | None = None
    as_of: Moment | None = None
    least_decisions: int = Field(default=500, ge=1)
    sample_rows: int = Field(default=5000, ge=0, le=100_000)
    seed: int = 1
    earlier_windows: int = Field(default=28, ge=1, le=1000)
    drift: DriftMarks = DriftMarks()
    outcomes: OutcomeMarks = OutcomeMarks()
    fairness: LiveFairness = LiveFairness()
