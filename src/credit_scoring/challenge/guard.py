"""The guard: rules on live degradation that send everybody back to the champion."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.evaluation.calibration import wilson_interval
from credit_scoring.evaluation.measures import Measure
from credit_scoring.evaluation.sequences import plan_sequence
from credit_scoring.evaluation.shares import Count, difference_of_shares
from credit_scoring.outcomes.joining import BAD, GOOD

Values = NDArray[np.float64]
APPROVE = "approve"
CHALLENGER = "challenger"
_POWER = 0.8


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Rule(_Frozen):
    """When a figure is too far away.

    Attributes:
        limit: How far it may be; the whole interval must lie beyond it.
        minimum: With fewer decisions, of either side, it is not asked.
    """

    limit: float = Field(gt=0)
    minimum: int = Field(ge=2)


class GuardParameters(_Frozen):
    """What is watched; a rule that is None is not asked.

    Attributes:
        window_hours: How far back from the moment of the outcomes decisions are
            looked at; the bad rate looks at all that are mature.
        level: Coverage of each interval. Windows are looked at again and again, so
            it is high; the bad rate's interval holds at all looks together.
        left_out: Share of what was asked of the challenger that it did not do.
        approval_gap: Approval rate of the challenger less the champion's.
        pd_divergence: Mean PD of the challenger less the champion's.
        bad_rate: Bad rate of the challenger's arm less the champion's (`split`).
        carry_out: Whether a rule that fires overrides the routing.
    """

    window_hours: float = Field(default=24.0, gt=0)
    level: float = Field(default=0.999, ge=0.5, lt=1)
    left_out: Rule | None = None
    approval_gap: Rule | None = None
    pd_divergence: Rule | None = None
    bad_rate: Rule | None = None
    carry_out: bool = True


@dataclass(frozen=True)
class Finding:
    """What a rule found.

    Attributes:
        rule: Names it.
        figure: None if there were too few decisions.
        low: Lower end of its interval.
        high: Upper end.
        limit: How far it may be.
        fired: Whether the whole interval lies beyond the limit.
    """

    rule: str
    figure: float | None
    low: float | None
    high: float | None
    limit: float
    fired: bool

    def __str__(self) -> str:
        """Say it in words."""
        if self.figure is None or self.low is None or self.high is None:
            return f"{self.rule}: too few decisions"
        return (
            f"{self.rule} is {self.figure:+.4f} ({self.low:+.4f} to {self.high:+.4f}), "
            f"limit {self.limit:g}"
        )

    def as_json(self) -> dict[str, Any]:
        """The finding as a JSON value."""
        return asdict(self)


def watch(
    matured: pd.DataFrame, parameters: GuardParameters, *, as_of: datetime
) -> list[Finding]:
    """Ask every rule.

    Args:
        matured: Decisions with their status, as the outcomes pipeline gives them.
        parameters: The rules.
        as_of: Moment of the outcomes; the window ends there.
    """
    begin = as_of - timedelta(hours=parameters.window_hours)
    recent = matured.loc[(matured["scored_at"] > begin) & matured["pd"].notna()]
    by_arm = bool((matured["arm"] == CHALLENGER).any())
    level = parameters.level
    found: Iterator[tuple[str, Rule | None, Measure | None]] = iter(
        (
            ("left_out", parameters.left_out, _left_out(recent, parameters, by_arm)),
            (
                "approval_gap",
                parameters.approval_gap,
                _approval_gap(recent, parameters.approval_gap, level, by_arm=by_arm),
            ),
            (
                "pd_divergence",
                parameters.pd_divergence,
                _divergence(recent, parameters.pd_divergence, level, by_arm=by_arm),
            ),
            ("bad_rate", parameters.bad_rate, _bad_rate(matured, parameters)),
        )
    )
    return [_finding(name, rule, m) for name, rule, m in found if rule is not None]


def _finding(name: str, rule: Rule, measure: Measure | None) -> Finding:
    if measure is None or measure.low is None or measure.high is None:
        return Finding(name, None, None, None, rule.limit, fired=False)
    one_sided = name in {"left_out", "bad_rate"}
    fired = measure.low > rule.limit or (not one_sided and measure.high < -rule.limit)
    return Finding(name, measure.value, measure.low, measure.high, rule.limit, fired)


def _sides(rows: pd.DataFrame, column: str, *, by_arm: bool) -> tuple[Any, Any]:
    """Values of the challenger and of the champion, on groups or on the same rows."""
    if by_arm:
        drawn = rows["arm"] == CHALLENGER
        by_it = drawn & (rows["role"] == CHALLENGER)
        return rows.loc[by_it, column], rows.loc[~drawn, column]
    followed = rows.loc[rows["challenger_pd"].notna()]
    return followed[f"challenger_{column}"], followed[column]


def _left_out(
    rows: pd.DataFrame, parameters: GuardParameters, by_arm: bool
) -> Measure | None:
    rule = parameters.left_out
    if by_arm:
        asked = rows.loc[rows["arm"] == CHALLENGER]
        missed = int((asked["role"] != CHALLENGER).sum())
    else:
        asked = rows
        missed = int(asked["challenger_pd"].isna().sum())
        if missed == len(asked):
            return None  # nobody follows: there is no challenger in the shadow
    if rule is None or len(asked) < rule.minimum:
        return None
    low, high = wilson_interval(missed, len(asked), level=parameters.level)
    return Measure(missed / len(asked), low, high)


def _approval_gap(
    rows: pd.DataFrame, rule: Rule | None, level: float, *, by_arm: bool
) -> Measure | None:
    theirs, ours = _sides(rows, "decision", by_arm=by_arm)
    if rule is None or min(len(theirs), len(ours)) < rule.minimum:
        return None
    counts = [Count(int((side == APPROVE).sum()), len(side)) for side in (theirs, ours)]
    return difference_of_shares(*counts, level=level)


def _divergence(
    rows: pd.DataFrame, rule: Rule | None, level: float, *, by_arm: bool
) -> Measure | None:
    theirs, ours = (
        side.to_numpy(np.float64) for side in _sides(rows, "pd", by_arm=by_arm)
    )
    if rule is None or min(theirs.size, ours.size) < rule.minimum:
        return None
    difference = float(theirs.mean() - ours.mean())
    if by_arm:
        error = sqrt(_square(theirs) + _square(ours))
    else:
        error = sqrt(_square(theirs - ours))
    half = NormalDist().inv_cdf(0.5 + level / 2) * error
    return Measure(difference, difference - half, difference + half)


def _square(values: Values) -> float:
    return float(values.var(ddof=1) / values.size)


def _bad_rate(matured: pd.DataFrame, parameters: GuardParameters) -> Measure | None:
    rule = parameters.bad_rate
    known = matured.loc[matured["status"].isin([GOOD, BAD])]
    theirs, ours = (
        (side == BAD).to_numpy(np.float64)
        for side in _sides(known, "status", by_arm=True)
    )
    if rule is None or min(theirs.size, ours.size) < rule.minimum:
        return None
    sequence = plan_sequence(
        level=parameters.level, difference=rule.limit, power=_POWER
    )
    difference = float(theirs.mean() - ours.mean())
    error = sqrt(_square(theirs) + _square(ours))
    return Measure(difference, *sequence.interval(difference, error))
