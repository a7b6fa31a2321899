"""Profit: what approving applicants earns or loses by a table of costs."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.bootstrap import (
    BootstrapParameters,
    percentile_interval,
    resampling_weights,
)
from credit_scoring.evaluation.measures import Measure
from credit_scoring.evaluation.sample import check_values

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


class CostTable(BaseModel):
    """What an approved applicant earns or costs, as shares of the exposure.

    Attributes:
        gain_from_good: Earned on one who turns out good, after all costs.
        loss_from_bad: Lost on one who turns out bad, after recoveries.
        exposure: Contract column that holds the amount at stake; None if every
            applicant counts 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    gain_from_good: float = Field(gt=0)
    loss_from_bad: float = Field(gt=0)
    exposure: str | None = None

    @property
    def break_even_pd(self) -> float:
        """PD at which approving neither earns nor loses.

        Source: Elkan, The Foundations of Cost-Sensitive Learning (2001),
            equation 2.
        """
        return self.gain_from_good / (self.gain_from_good + self.loss_from_bad)


def worths(bad: Values, exposure: Values, costs: CostTable) -> Values:
    """What approving each applicant earned, or would have.

    Args:
        bad: 1 for bad, 0 for good, shape (n,); or a PD, for what to expect.
        exposure: Amount at stake, shape (n,), 0 or more, not all 0.
        costs: Shares of it that are earned or lost.

    Returns:
        Shape (n,), in the exposure's unit; below 0 for a loss.

    Raises:
        EvaluationError: If lengths differ, or an exposure is missing, negative
            or infinite, or all are 0.
    """
    check_values(bad, what="outcomes")
    if bad.shape != exposure.shape:
        raise EvaluationError(
            f"{exposure.size} exposures for {bad.size} outcomes; expected as many"
        )
    wrong = ~(np.isfinite(exposure) & (exposure >= 0))
    if wrong.any():
        raise EvaluationError(
            f"{int(wrong.sum())} of {exposure.size} exposures are missing, negative "
            f"or infinite; first at row {int(wrong.argmax())}"
        )
    if not exposure.sum():
        raise EvaluationError(f"all of {exposure.size} exposures are 0")
    found: Values = exposure * (
        (1 - bad) * costs.gain_from_good - bad * costs.loss_from_bad
    )
    return found


def measure_profit(
    approved: Flags,
    worth: Values,
    exposure: Values,
    *,
    bootstrap: BootstrapParameters,
) -> Measure:
    """Profit of the approved, as a share of all that was applied for.

    Who is referred to a person counts as not approved: what the person decides
    is not known here.

    Args:
        approved: Shape (n,).
        worth: As `worths` gives them, shape (n,).
        exposure: Amount at stake, shape (n,).
        bootstrap: How to resample applicants.
    """
    return _share(approved * worth, exposure, bootstrap)


def compare_profits(
    approved: Flags,
    other: Flags,
    *,
    worth: Values,
    exposure: Values,
    bootstrap: BootstrapParameters,
) -> Measure:
    """Profit of one policy less that of another on the same applicants.

    Both are resampled together, so that applicants whom both treat alike add
    no noise.

    Args:
        approved: By the policy in question, shape (n,).
        other: By the one it is compared with, shape (n,).
        worth: As `worths` gives them, shape (n,).
        exposure: Amount at stake, shape (n,).
        bootstrap: How to resample applicants.

    Returns:
        As a share of all that was applied for.
    """
    apart = approved.astype(np.float64) - other.astype(np.float64)
    return _share(apart * worth, exposure, bootstrap)


def _share(part: Values, whole: Values, bootstrap: BootstrapParameters) -> Measure:
    """A ratio of two sums over applicants, resampled together.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter
        6, the paired case in 8.3.
    """
    blocks = [
        (weights @ part) / (weights @ whole)
        for weights in resampling_weights(len(part), bootstrap)
    ]
    interval = percentile_interval(np.concatenate(blocks), level=bootstrap.level)
    return Measure(float(part.sum() / whole.sum()), interval.low, interval.high)
