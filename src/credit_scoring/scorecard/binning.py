"""Optimal binning: each feature cut where it separates goods from bads best."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import TrainingError
from credit_scoring.scorecard.model import Bin, BinnedFeature, locate_bins
from credit_scoring.scorecard.parameters import BinningParameters

if TYPE_CHECKING:
    from optbinning import OptimalBinning

Values = NDArray[np.float64]
Direction = Literal[-1, 0, 1]

_TRENDS = {1: "ascending", -1: "descending", 0: "auto"}
# Enough digits for any use, few enough for a person and for two machines to agree.
_WOE_DECIMALS = 6


@dataclass(frozen=True)
class FeatureColumn:
    """One feature's values, shape (n,), with its monotone direction."""

    name: str
    direction: Direction
    values: Values


@dataclass(frozen=True)
class Binning:
    """All features' bins, and the features that have none.

    Attributes:
        binned: One entry for each feature with two bins or more, in order.
        left_out: Feature -> why it has no bins.
    """

    binned: tuple[BinnedFeature, ...]
    left_out: dict[str, str]


def bin_features(
    x: Values,
    bad: Values,
    *,
    feature_names: Sequence[str],
    directions: Sequence[Direction],
    parameters: BinningParameters,
) -> Binning:
    """Cut every feature into bins of monotone risk.

    Args:
        x: Feature matrix, shape (n, n_features); NaN is missing.
        bad: 1 for bad, 0 for good, shape (n,).
        feature_names: Names of the columns.
        directions: Monotone direction of each column. With 0, the bad rate may
            rise, fall, or have one peak or valley, whichever separates best.
        parameters: How finely to cut.

    Raises:
        TrainingError: If a feature's bins are not proven optimal in time.
    """
    binned: list[BinnedFeature] = []
    left_out: dict[str, str] = {}
    for index, name in enumerate(feature_names):
        values = np.ascontiguousarray(x[:, index])
        column = FeatureColumn(name, directions[index], values)
        edges = find_edges(column, bad, parameters=parameters)
        if isinstance(edges, str):
            left_out[name] = edges
            continue
        least = parameters.min_missing_rows
        binned.append(count_bins(column, bad, edges=edges, min_missing_rows=least))
    return Binning(binned=tuple(binned), left_out=left_out)


def find_edges(
    column: FeatureColumn, bad: Values, *, parameters: BinningParameters
) -> Values | str:
    """Find the inner edges that maximise the information value.

    Returns:
        Edges in rising order, or the reason why there are none.

    Raises:
        TrainingError: If the bins are not proven optimal within the time limit:
            a limit on the clock would make them depend on the machine.

    Source: Navas-Palencia, Optimal Binning: Mathematical Programming
        Formulation (2020), arXiv:2001.08025.
    """
    known = ~np.isnan(column.values)
    if not known.any():
        return "every value is missing"
    if np.ptp(column.values[known]) == 0:
        return "constant: every value is the same"
    fitted = _optimal_binning(column, parameters)
    fitted.fit(column.values[known], bad[known].astype(np.int64))
    if fitted.status != "OPTIMAL":
        raise TrainingError(
            f"the bins of {column.name} were not proven optimal within "
            f"{parameters.time_limit_s:g} s (solver status {fitted.status}); "
            "allow more time or fewer prebins"
        )
    if not len(fitted.splits):
        return "one bin: no cut separates goods from bads as its direction asks"
    return np.asarray(fitted.splits, np.float64)


def _optimal_binning(
    column: FeatureColumn, parameters: BinningParameters
) -> "OptimalBinning":
    # optbinning probes all solvers of cvxpy and one of them, which is never
    # used here, complains on stderr when ortools is loaded beside it.
    logging.getLogger("__cvxpy__").addFilter(_is_not_about_an_unused_solver)
    from optbinning import OptimalBinning

    return OptimalBinning(
        name=column.name,
        solver="cp",
        monotonic_trend=_TRENDS[column.direction],
        max_n_prebins=parameters.max_prebins,
        min_prebin_size=parameters.min_prebin_share,
        max_n_bins=parameters.max_bins,
        min_bin_size=parameters.min_bin_share,
        time_limit=parameters.time_limit_s,
    )


def _is_not_about_an_unused_solver(record: logging.LogRecord) -> bool:
    return "importing solver" not in record.getMessage()


def count_bins(
    column: FeatureColumn, bad: Values, *, edges: Values, min_missing_rows: int
) -> BinnedFeature:
    """Count goods and bads by bin, and weigh the evidence.

    Args:
        column: One feature; NaN is missing.
        bad: 1 for bad, 0 for good, shape (n,).
        edges: Inner edges in rising order.
        min_missing_rows: With fewer missing values than this, a missing value
            says nothing: its weight of evidence is 0.
    """
    place = locate_bins(column.values, edges)
    is_bad = bad == 1
    size = len(edges) + 2
    bads = np.bincount(place[is_bad], minlength=size)
    goods = np.bincount(place[~is_bad], minlength=size)
    woes = weights_of_evidence(goods, bads)
    if goods[-1] + bads[-1] < min_missing_rows:
        woes[-1] = 0.0
    shares = goods / goods.sum() - bads / bads.sum()
    bounds = [None, *edges.tolist(), None]
    bins = [
        Bin(
            at_least=bounds[k],
            below=bounds[k + 1],
            goods=int(goods[k]),
            bads=int(bads[k]),
            woe=float(woes[k]),
        )
        for k in range(size - 1)
    ]
    return BinnedFeature(
        feature=column.name,
        direction=column.direction,
        information_value=round(max(float((shares * woes).sum()), 0), _WOE_DECIMALS),
        bins=tuple(bins),
        missing=Bin(goods=int(goods[-1]), bads=int(bads[-1]), woe=float(woes[-1])),
    )


def weights_of_evidence(
    goods: NDArray[np.int64], bads: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Weigh the evidence of each bin: ln(share of goods / share of bads).

    Args:
        goods: Goods by bin, shape (n_bins,).
        bads: Bads by bin, shape (n_bins,).

    Returns:
        Shape (n_bins,), to six decimals; positive is safer. In a bin without
        goods or without bads both counts are raised by one half, so that the
        weight stays finite; an empty bin has 0.

    Raises:
        TrainingError: If there are no goods or no bads at all.

    Source: Siddiqi, Credit Risk Scorecards (2006), chapter 6, Weight of evidence.
    """
    if not goods.sum() or not bads.sum():
        raise TrainingError(
            f"expected goods and bads, found {goods.sum()} goods and {bads.sum()} bads"
        )
    raised = np.where((goods == 0) | (bads == 0), 0.5, 0.0)
    shares = (goods + raised) / goods.sum(), (bads + raised) / bads.sum()
    woes = np.log(shares[0] / shares[1])
    woes[(goods + bads) == 0] = 0.0
    rounded: NDArray[np.float64] = np.round(woes, _WOE_DECIMALS)
    return rounded
