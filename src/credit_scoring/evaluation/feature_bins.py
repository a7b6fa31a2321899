"""Observed and predicted risk along one feature."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import wilson_interval

Values = NDArray[np.float64]

_DIGITS = 3


@dataclass(frozen=True)
class FeatureBin:
    """One bin of a feature's values.

    Attributes:
        values: The values in words.
        n: Applications in the bin.
        bad_rate: Share of bads among them, in [0, 1].
        low: Lower bound of the bad rate's interval.
        high: Upper bound of the bad rate's interval.
        mean_pd: Their mean PD.
        woe: Weight of evidence of the bin in the scorecard; None without one.
    """

    values: str
    n: int
    bad_rate: float
    low: float
    high: float
    mean_pd: float
    woe: float | None = None


def quantile_edges(values: Values, *, bins: int) -> Values:
    """Cut a feature's known values into bins of about equal frequency.

    Args:
        values: Shape (n,); NaN is missing.
        bins: Number of bins.

    Returns:
        Distinct inner edges in rising order; bin k holds edges[k - 1] <= value
        < edges[k].
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return np.empty(0)
    cuts = np.arange(1, bins) / bins
    cut = np.unique(np.quantile(known, cuts, method="inverted_cdf"))
    edges: Values = cut[cut > known.min()]
    return edges


def rates_by_bin(
    values: Values,
    bad: Values,
    pd_: Values,
    *,
    edges: Values,
    woes: Values | None = None,
) -> list[FeatureBin]:
    """Compare the bad rate with the mean PD in each bin of one feature.

    Args:
        values: The feature, shape (n,); NaN is missing.
        bad: 1 for bad, 0 for good, shape (n,).
        pd_: Probability of default, shape (n,).
        edges: Inner edges in rising order, shape (n_bins - 1,).
        woes: Weight of evidence of each bin, the missing values' last, shape
            (n_bins + 1,).

    Returns:
        The bins that hold a row, from low values to high, missing values last.

    Raises:
        EvaluationError: If the columns differ in length.
    """
    if not values.shape == bad.shape == pd_.shape:
        raise EvaluationError(
            f"{values.size} values, {bad.size} outcomes and {pd_.size} PDs; "
            "expected as many of each"
        )
    place = np.searchsorted(edges, values, side="right")
    place[np.isnan(values)] = len(edges) + 1
    found = []
    for k in np.unique(place):
        members = place == k
        n, bads = int(members.sum()), int(bad[members].sum())
        low, high = wilson_interval(bads, n, level=0.95)
        found.append(
            FeatureBin(
                values=_in_words(edges, int(k)),
                n=n,
                bad_rate=bads / n,
                low=low,
                high=high,
                mean_pd=float(pd_[members].mean()),
                woe=None if woes is None else float(woes[k]),
            )
        )
    return found


def _in_words(edges: Values, k: int) -> str:
    if k == len(edges) + 1:
        return "missing"
    if not len(edges):
        return "all"
    if k == 0:
        return f"< {short(edges[0])}"
    if k == len(edges):
        return f"≥ {short(edges[-1])}"
    return f"{short(edges[k - 1])} to {short(edges[k])}"


def short(value: float) -> str:
    """Write a number in few characters, e.g. ``1.25k`` for 1,250."""
    size = abs(value)
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{value / unit:.{_DIGITS}g}{letter}"
    return f"{value:.{_DIGITS}g}"
