"""Fairness: how approvals and scores differ between groups of applicants.

The protected attribute is looked at here alone: no model and no decision sees it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.measures import Measure
from credit_scoring.evaluation.shares import (
    Count,
    difference_of_shares,
    ratio_of_shares,
)

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

_LEAST = 2  # scores of a group: a spread needs two


class Group(BaseModel):
    """The values of a protected column that make a group.

    Attributes:
        values: The codes of the group; or
        at_least: the lowest value of it, and
        below: the value that is too high for it; either may be left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    values: tuple[float, ...] = Field(default=())
    at_least: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _codes_or_range(self) -> Self:
        ranged = self.at_least is not None or self.below is not None
        if ranged == bool(self.values):
            raise ValueError("a group has either values, or at_least and below")
        return self

    def members(self, column: Values) -> Flags:
        """Say which applicants belong to it; a missing value belongs to none."""
        if self.values:
            return np.isin(column, self.values)
        low = -np.inf if self.at_least is None else self.at_least
        high = np.inf if self.below is None else self.below
        with np.errstate(invalid="ignore"):
            return (column >= low) & (column < high)


@dataclass(frozen=True)
class Decided:
    """What was decided on applications, and what became of them.

    Attributes:
        approved: Shape (n,).
        score: Points, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
    """

    approved: Flags
    score: Values
    bad: Values


@dataclass(frozen=True)
class GroupFairness:
    """One group beside the group that it is compared with.

    Attributes:
        group: Its name.
        reference: Whether it is the one that others are compared with.
        rows: Applicants in it.
        goods: Of them, those who turned out good.
        approved: Applicants approved.
        approval_rate: In [0, 1]; None without applicants.
        bad_rate: In [0, 1]; None without applicants.
        mean_score: Points; None without applicants.
        impact_ratio: Approval rate over the reference's; None if that cannot
            be said.
        score_difference: Difference of the mean scores in pooled standard
            deviations; below 0 if the group scores lower.
        opportunity_difference: Approval rate among goods less the reference's.
    """

    group: str
    reference: bool
    rows: int
    goods: int
    approved: int
    approval_rate: float | None
    bad_rate: float | None
    mean_score: float | None
    impact_ratio: Measure | None
    score_difference: Measure | None
    opportunity_difference: Measure | None


def standardised_difference(one: Values, other: Values, *, level: float) -> Measure:
    """Difference of two means in pooled standard deviations, unbiased.

    Args:
        one: Scores of the group in question, shape (n,).
        other: Scores of the group it is compared with, shape (m,).
        level: Coverage of the interval, in (0, 1).

    Raises:
        EvaluationError: If a group has fewer than two scores, or no score
            differs from its group's mean.

    Source: Hedges, Distribution Theory for Glass's Estimator of Effect Size and
        Related Estimators (1981), Journal of Educational Statistics 6, the
        approximate correction of section 4; Hedges & Olkin, Statistical Methods
        for Meta-Analysis (1985), chapter 5, equations 14 to 16 for the interval.
    """
    n, m = one.size, other.size
    if min(n, m) < _LEAST:
        raise EvaluationError(f"{n} and {m} scores; a spread needs two of each")
    squares = float(
        ((one - one.mean()) ** 2).sum() + ((other - other.mean()) ** 2).sum()
    )
    if squares == 0:
        raise EvaluationError(f"no spread among {n} and {m} scores")
    freedom = n + m - 2
    raw = float(one.mean() - other.mean()) / sqrt(squares / freedom)
    found = (1 - 3 / (4 * freedom - 1)) * raw
    error = sqrt((n + m) / (n * m) + found * found / (2 * (n + m)))
    half = NormalDist().inv_cdf(0.5 + level / 2) * error
    return Measure(found, found - half, found + half)


def choose_reference(
    members: Mapping[str, Flags], approved: Flags, *, least_share: float
) -> str:
    """Find the group that others are compared with: the most often approved.

    Args:
        members: Group -> who belongs to it, each of shape (n,).
        approved: Shape (n,).
        least_share: A smaller group is not compared with; its rate is chance.

    Raises:
        EvaluationError: If no group is that large.

    Source: 29 CFR 1607.4(D), Uniform Guidelines on Employee Selection
        Procedures: "the rate for the group with the highest rate".
    """
    whole = sum(int(belongs.sum()) for belongs in members.values())
    large = {
        name: float(approved[belongs].mean())
        for name, belongs in members.items()
        if belongs.any() and belongs.sum() >= least_share * whole
    }
    if not large:
        raise EvaluationError(
            f"none of {len(members)} groups has {least_share:.1%} of the {whole} rows"
        )
    return max(large, key=lambda name: (large[name], name))


def compare_groups(
    members: Mapping[str, Flags], decided: Decided, *, reference: str, level: float
) -> list[GroupFairness]:
    """Put every group beside the reference.

    Args:
        members: Group -> who belongs to it, each of shape (n,).
        decided: Decisions, scores and outcomes.
        reference: Name of the group that others are compared with.
        level: Coverage of the intervals, in (0, 1).

    Returns:
        One entry a group, in their order. What cannot be said of a group is
        None: of one without applicants all, of one without goods the
        opportunity.

    Source: for the impact ratio 29 CFR 1607.4(D); for the opportunity Hardt,
        Price & Srebro, Equality of Opportunity in Supervised Learning (2016),
        definition 2.2.
    """
    standard = members[reference]
    return [
        _compare(name, belongs, standard, decided, level, name == reference)
        for name, belongs in members.items()
    ]


def _compare(  # noqa: PLR0913, PLR0917 - one group, the other, and what was decided
    name: str,
    belongs: Flags,
    standard: Flags,
    decided: Decided,
    level: float,
    is_reference: bool,
) -> GroupFairness:
    some = bool(belongs.any())
    good = decided.bad == 0
    return GroupFairness(
        group=name,
        reference=is_reference,
        rows=int(belongs.sum()),
        goods=int((belongs & good).sum()),
        approved=int((belongs & decided.approved).sum()),
        approval_rate=float(decided.approved[belongs].mean()) if some else None,
        bad_rate=float(decided.bad[belongs].mean()) if some else None,
        mean_score=float(decided.score[belongs].mean()) if some else None,
        impact_ratio=_known(
            lambda: ratio_of_shares(
                _count(belongs, decided.approved),
                _count(standard, decided.approved),
                level=level,
            )
        ),
        score_difference=_known(
            lambda: standardised_difference(
                decided.score[belongs], decided.score[standard], level=level
            )
        ),
        opportunity_difference=_known(
            lambda: difference_of_shares(
                _count(belongs & good, decided.approved),
                _count(standard & good, decided.approved),
                level=level,
            )
        ),
    )


def _count(belongs: Flags, approved: Flags) -> Count:
    return Count(int((belongs & approved).sum()), int(belongs.sum()))


def _known(measure: Callable[[], Measure]) -> Measure | None:
    try:
        return measure()
    except EvaluationError:
        # Documented as None; the gate that asks for it then fails closed.
        return None
