"""Shift: whether a stability index is more than its samples' sizes explain.

Apart from `stability`, which a service may use without SciPy.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtrc, chndtr, kolmogorov

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.stability import Counts, psi_of_counts

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """How far a distribution has moved, and whether chance explains it.

    Attributes:
        psi: Population stability index of the samples.
        low: Lower end of the interval of the populations' own index.
        high: Upper end of it.
        p_value: Of two samples of one population lying so far apart.
        degrees: Bins in use less one.
    """

    psi: float
    low: float
    high: float
    p_value: float
    degrees: int


def judge_shift(expected: Counts, actual: Counts, *, level: float = 0.95) -> Shift:
    """Judge a PSI by the sizes of the samples it was found in.

    Without a shift PSI / (1/N + 1/M) has about a chi-square distribution with
    as many degrees of freedom as bins less one; with one it is about
    non-central, by the populations' PSI over (1/N + 1/M), which the interval
    comes from. So a PSI of 0.1 is nothing among a hundred rows and much among
    ten thousand.

    Args:
        expected: Counts by bin, shape (n_bins,).
        actual: Counts by bin, shape (n_bins,).
        level: Coverage of the interval, in (0, 1).

    Raises:
        EvaluationError: As `psi_of_counts`.

    Source: Yurdakul, Statistical Properties of Population Stability Index
        (2018), chapter 3, for the chi-square; Kullback, Information Theory and
        Statistics (1959), chapter 6, section 4, for the non-central one.
    """
    found = psi_of_counts(expected, actual)
    degrees = int(((expected > 0) | (actual > 0)).sum()) - 1
    if degrees == 0:
        return Shift(0.0, 0.0, 0.0, 1.0, 0)
    unit = 1 / float(expected.sum()) + 1 / float(actual.sum())
    tail = (1 - level) / 2
    low, high = (
        unit * _noncentrality(found / unit, degrees, chance)
        for chance in (1 - tail, tail)
    )
    p_value = float(chdtrc(degrees, found / unit))
    return Shift(found, low, high, p_value, degrees)


def chance_of_shift(expected: Counts, actual: Counts) -> float:
    """Give the p-value that `judge_shift` gives, and nothing else.

    It takes a tenth of the time: the interval is what costs.

    Args:
        expected: Counts by bin, shape (n_bins,).
        actual: Counts by bin, shape (n_bins,).

    Raises:
        EvaluationError: As `psi_of_counts`.

    Source: as `judge_shift`.
    """
    found = psi_of_counts(expected, actual)
    degrees = int(((expected > 0) | (actual > 0)).sum()) - 1
    unit = 1 / float(expected.sum()) + 1 / float(actual.sum())
    return float(chdtrc(degrees, found / unit)) if degrees else 1.0


def _noncentrality(statistic: float, degrees: int, chance: float) -> float:
    """Non-centrality under which the statistic or less has this chance."""
    if 1 - chdtrc(degrees, statistic) <= chance:
        return 0.0
    highest = statistic + degrees + 1.0
    while chndtr(statistic, degrees, highest) > chance:
        highest *= 2
    return float(
        brentq(lambda shift: chndtr(statistic, degrees, shift) - chance, 0.0, highest)
    )


@dataclass(frozen=True)
class Distance:
    """Kolmogorov and Smirnov's distance, as far as bins show it.

    Attributes:
        value: Largest difference of the distribution functions at an edge; between
            edges it may be larger.
        p_value: Of two samples of one population lying at least so far apart; too
            high rather than too low, as the distance is too short rather than too
            long.
    """

    value: float
    p_value: float


def ks_of_counts(expected: Counts, actual: Counts) -> Distance:
    """Compare two distributions by their counts in bins of rising values.

    Args:
        expected: Counts by bin without the missing values, shape (n_bins,).
        actual: The same, shape (n_bins,).

    Raises:
        EvaluationError: If the numbers of bins differ, or a side has no row.

    Source: Smirnov, Table for Estimating the Goodness of Fit of Empirical
        Distributions (1948), Annals of Mathematical Statistics 19: the limit of
        the distribution for large samples.
    """
    n, m = float(expected.sum()), float(actual.sum())
    if expected.shape != actual.shape or not n or not m:
        raise EvaluationError(
            f"{n:.0f} rows in {expected.size} bins and {m:.0f} in {actual.size}; "
            "expected rows of both in the same bins"
        )
    apart = np.abs(np.cumsum(expected) / n - np.cumsum(actual) / m)
    distance = float(apart.max())
    return Distance(distance, float(kolmogorov(distance * np.sqrt(n * m / (n + m)))))


def holm(p_values: Values) -> Values:
    """Correct p-values for how many there are.

    Args:
        p_values: Shape (n,), in [0, 1].

    Returns:
        Shape (n,): compared with a level, the chance that any of them is
        below it by chance alone is at most that level.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure
        (1979), Scandinavian Journal of Statistics 6.
    """
    order = np.argsort(p_values, kind="stable")
    left = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.maximum.accumulate(p_values[order] * left)
    found: Values = np.minimum(corrected, 1.0)
    return found
