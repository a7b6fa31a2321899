"""DeLong's test: how far apart two models' AUCs are on the same applications."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.sample import check_sample

Values = NDArray[np.float64]
Mode = Literal["non_inferiority", "superiority"]

_LEAST = 2  # goods, and bads: a variance needs two of each


@dataclass(frozen=True)
class AucComparison:
    """Two AUCs on the same applications, and the difference between them.

    Attributes:
        auc: Of the model in question.
        auc_error: Its standard error.
        other: Of the model that it is compared with.
        other_error: Its standard error.
        covariance: Of the two AUCs.
        difference: ``auc - other``.
        error: Standard error of the difference.
        low: Lower end of the difference's interval.
        high: Upper end of it.
        p_value: One-sided, of the hypothesis that the difference is `bound` or
            less.
        bound: What the difference must exceed: minus the margin for
            non-inferiority, the margin for superiority.
    """

    auc: float
    auc_error: float
    other: float
    other_error: float
    covariance: float
    difference: float
    error: float
    low: float
    high: float
    p_value: float
    bound: float

    @property
    def shown(self) -> bool:
        """Whether the whole interval of the difference lies above the bound."""
        return self.low > self.bound


def mid_ranks(values: Values) -> Values:
    """Rank values from 1; equal values share the middle of their ranks.

    Args:
        values: Shape (n,), without NaN.

    Returns:
        Shape (n,).

    Source: Sun & Xu, Fast Implementation of DeLong's Algorithm for Comparing
        the Areas Under Correlated Receiver Operating Characteristic Curves
        (2014), IEEE Signal Processing Letters 21, section III.
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: Values = last - (counts - 1) / 2
    return middle[place]


def placements(risk: Values, bad: Values) -> tuple[Values, Values]:
    """Say of each bad how many goods it outranks, and of each good the reverse.

    Args:
        risk: PD, log-odds of bad, or anything that rises with them, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).

    Returns:
        For each bad the share of goods ranked safer, shape (n_bads,); for each
        good the share of bads ranked riskier, shape (n_goods,). A tie counts
        half. The mean of either is the AUC.

    Raises:
        EvaluationError: If a risk is NaN, lengths differ, or there is only one
            outcome.

    Source: DeLong, DeLong & Clarke-Pearson, Comparing the Areas under Two or
        More Correlated Receiver Operating Characteristic Curves (1988),
        Biometrics 44, the components V10 and V01 of section 2; computed from
        mid-ranks as in Sun & Xu (2014), section III.
    """
    check_sample(risk, bad, what="risks")
    among_all = mid_ranks(risk)
    is_bad = bad == 1
    n_bads = int(is_bad.sum())
    n_goods = bad.size - n_bads
    of_bads: Values = (among_all[is_bad] - mid_ranks(risk[is_bad])) / n_goods
    of_goods: Values = 1 - (among_all[~is_bad] - mid_ranks(risk[~is_bad])) / n_bads
    return of_bads, of_goods


def auc_covariance(risks: Values, bad: Values) -> tuple[Values, Values]:
    """Estimate the AUC of several models on the same rows, and their covariance.

    Args:
        risks: One row a model, shape (n_models, n).
        bad: 1 for bad, 0 for good, shape (n,).

    Returns:
        AUCs, shape (n_models,), and their covariance, shape
        (n_models, n_models).

    Raises:
        EvaluationError: As `placements`, or with fewer than two goods or bads.

    Source: DeLong, DeLong & Clarke-Pearson (1988), the covariance
        S = S10 / m + S01 / n of section 2.
    """
    n_bads = int((bad == 1).sum())
    if min(n_bads, bad.size - n_bads) < _LEAST:
        raise EvaluationError(
            f"{bad.size} outcomes with {n_bads} bads; a variance needs two goods "
            "and two bads"
        )
    placed = [placements(risk, bad) for risk in risks]
    of_bads = np.stack([one for one, _ in placed])
    of_goods = np.stack([one for _, one in placed])
    covariance: Values = np.atleast_2d(np.cov(of_bads)) / of_bads.shape[1]
    covariance = covariance + np.atleast_2d(np.cov(of_goods)) / of_goods.shape[1]
    return of_bads.mean(axis=1), covariance


def compare_aucs(  # noqa: PLR0913 - two models, and what the test asks
    risk: Values,
    other: Values,
    bad: Values,
    *,
    margin: float = 0.0,
    level: float = 0.95,
    mode: Mode = "non_inferiority",
) -> AucComparison:
    """Compare two models' AUCs on the same applications.

    The test is one-sided at (1 - level) / 2, the same as asking the interval to
    lie above the bound.

    Args:
        risk: Of the model in question, shape (n,).
        other: Of the model it is compared with, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        margin: Non-inferiority: how much worse is as good. Superiority: how much
            better is better.
        level: Coverage of the two-sided interval, in (0, 1).
        mode: Which of the two is asked.

    Returns:
        Where the AUCs do not vary against each other at all (the same ranking),
        the interval is the difference itself and the p-value 0 or 1.

    Raises:
        EvaluationError: As `auc_covariance`.

    Source: DeLong, DeLong & Clarke-Pearson (1988), equation 5 for the contrast
        of two areas; ICH E9, Statistical Principles for Clinical Trials (1998),
        section 3.3.2, for non-inferiority by the interval's lower end.
    """
    aucs, covariance = auc_covariance(np.stack([risk, other]), bad)
    difference = float(aucs[0] - aucs[1])
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    # What rounding leaves of the variance of a ranking against itself.
    floor = 16 * np.finfo(float).eps * max(covariance[0, 0], covariance[1, 1])
    error = sqrt(variance) if variance > floor else 0.0
    bound = -margin if mode == "non_inferiority" else margin
    half = NormalDist().inv_cdf(0.5 + level / 2) * error
    return AucComparison(
        auc=float(aucs[0]),
        auc_error=sqrt(covariance[0, 0]),
        other=float(aucs[1]),
        other_error=sqrt(covariance[1, 1]),
        covariance=float(covariance[0, 1]),
        difference=difference,
        error=error,
        low=difference - half,
        high=difference + half,
        p_value=_p_value(difference - bound, error),
        bound=bound,
    )


def _p_value(distance: float, error: float) -> float:
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return NormalDist().cdf(-distance / error)
