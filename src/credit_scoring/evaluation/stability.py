"""Stability: how far a distribution has moved from where it was."""

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError

Values = NDArray[np.float64]
Counts = NDArray[np.int64]

_EMPTY = 0.5


def distribution_edges(expected: Values, *, bins: int = 10) -> Values:
    """Cut the expected values into bins of about equal frequency.

    Args:
        expected: Shape (n,); NaN is missing and has no part in the edges.
        bins: Number of bins.

    Returns:
        Distinct inner edges in rising order, shape (at most bins - 1,).

    Raises:
        EvaluationError: If no value is known.
    """
    known = expected[~np.isnan(expected)]
    if not known.size:
        raise EvaluationError(f"none of {expected.size} expected values is known")
    # An edge is a value that occurs; the values up to it are in its bin. The
    # largest value is no edge, as nothing expected lies above it.
    edges = np.quantile(known, np.arange(1, bins) / bins, method="inverted_cdf")
    distinct: Values = np.unique(edges[edges < known.max()])
    return distinct


def count_by_bin(values: Values, edges: Values) -> Counts:
    """Count values by bin; bin k holds edges[k - 1] < value <= edges[k].

    Args:
        values: Shape (n,); NaN is missing.
        edges: Inner edges in rising order, shape (n_bins - 1,).

    Returns:
        Shape (n_bins + 1,), the missing values last.
    """
    missing = np.isnan(values)
    place = np.searchsorted(edges, values[~missing], side="left")
    counts = np.bincount(place, minlength=len(edges) + 1)
    return np.append(counts, missing.sum()).astype(np.int64)


def psi_of_counts(expected: Counts, actual: Counts) -> float:
    """Population stability index of two rows of counts by bin.

    A bin that is empty on one side is counted there as half a row, so that the
    index stays finite; a bin that is empty on both sides is left out.

    Args:
        expected: Shape (n_bins,).
        actual: Shape (n_bins,).

    Returns:
        0 if the shares are equal; 0.1 is customarily a small shift, 0.25 a
        large one.

    Raises:
        EvaluationError: If the numbers of bins differ, or a side has no row.

    Source: Siddiqi, Credit Risk Scorecards (2006), chapter 9, Scorecard
        stability; Yurdakul, Statistical Properties of Population Stability
        Index (2018).
    """
    if expected.shape != actual.shape:
        raise EvaluationError(
            f"{expected.size} expected bins and {actual.size} actual ones"
        )
    if not expected.sum() or not actual.sum():
        raise EvaluationError(
            f"{int(expected.sum())} expected and {int(actual.sum())} actual rows; "
            "expected some of both"
        )
    return float(_psi_of_sets(expected[None], actual[None])[0])


def _psi_of_sets(expected: Counts, actual: Counts) -> Values:
    used = (expected > 0) | (actual > 0)
    before = np.maximum(expected, _EMPTY) / expected.sum(axis=1, keepdims=True)
    after = np.maximum(actual, _EMPTY) / actual.sum(axis=1, keepdims=True)
    found: Values = ((after - before) * np.log(after / before) * used).sum(axis=1)
    return found


def psi(expected: Values, actual: Values, *, bins: int = 10) -> float:
    """Population stability index, with bins of equal frequency in the expected.

    Missing values have a bin of their own.

    Args:
        expected: The reference, shape (n_expected,); NaN is missing.
        actual: What is compared with it, shape (n_actual,); NaN is missing.
        bins: Number of bins.

    Raises:
        EvaluationError: If no expected value is known, or there is no actual row.
    """
    edges = distribution_edges(expected, bins=bins)
    return psi_of_counts(count_by_bin(expected, edges), count_by_bin(actual, edges))


def resampled_psi(
    expected: Counts, actual: Counts, *, replicates: int, seed: int
) -> Values:
    """PSI of samples drawn again from both distributions, bins unchanged.

    Args:
        expected: Counts by bin, shape (n_bins,).
        actual: Counts by bin, shape (n_bins,).
        replicates: Number of resamples.
        seed: Seed of the resampling.

    Returns:
        Shape (replicates,).
    """
    generator = np.random.default_rng(seed)
    drawn = [
        generator.multinomial(counts.sum(), counts / counts.sum(), size=replicates)
        for counts in (expected, actual)
    ]
    return _psi_of_sets(drawn[0], drawn[1])
