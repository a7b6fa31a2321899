"""Plots of a candidate, readable in print and to the colour-blind.

Figures are made without pyplot, so none is kept alive and no window opens.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from credit_scoring.evaluation.calibration import ReliabilityBin
from credit_scoring.evaluation.discrimination import roc_points
from credit_scoring.evaluation.feature_bins import FeatureBin
from credit_scoring.evaluation.measures import Measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Values = NDArray[np.float64]

# Okabe & Ito's palette; the two outcomes also differ in lightness.
GOOD = "#0072B2"
BAD = "#D55E00"
LINE = "#222222"
PALE = "#999999"

_SIZE = (8.0, 5.2)
_TALL = (8.0, 6.4)
_DPI = 110


def plot_roc(risk: Values, bad: Values, *, auc: Measure, title: str) -> Figure:
    """Draw the ROC curve with the area under it.

    Args:
        risk: PD or log-odds of bad, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        auc: Area with its interval.
        title: What the plot is of.

    Raises:
        EvaluationError: As `roc_points`.
    """
    points = roc_points(risk, bad)
    figure, axes = _figure(title, size=(6.4, 6.0))
    axes.fill_between(points.goods, points.bads, color=GOOD, alpha=0.08)
    axes.plot(points.goods, points.bads, color=GOOD, label=f"AUC {_with_interval(auc)}")
    axes.plot([0, 1], [0, 1], color=PALE, linestyle="--", label="by chance: AUC 0.5")
    axes.set(
        xlabel="goods declined, % of all goods",
        ylabel="bads declined, % of all bads",
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
    )
    _percent(axes.xaxis, axes.yaxis)
    axes.legend(loc="lower right")
    return figure


def plot_ks(score: Values, bad: Values, *, ks: Measure, title: str) -> Figure:
    """Draw the shares of goods and bads up to each score, and where they differ most.

    Args:
        score: Points, shape (n,); higher is safer.
        bad: 1 for bad, 0 for good, shape (n,).
        ks: Largest distance with its interval.
        title: What the plot is of.

    Raises:
        EvaluationError: As `roc_points`.
    """
    points = roc_points(-score, bad)
    level, goods, bads = -points.level[1:], points.goods[1:], points.bads[1:]
    widest = int(np.abs(bads - goods).argmax())
    figure, axes = _figure(title)
    axes.step(level, bads, where="post", color=BAD, label="bads")
    axes.step(
        level, goods, where="post", color=GOOD, linestyle=(0, (5, 1)), label="goods"
    )
    axes.vlines(
        level[widest],
        goods[widest],
        bads[widest],
        color=LINE,
        label=f"KS {_with_interval(ks)}\nat {level[widest]:.0f} points",
    )
    axes.set(
        xlabel="score, points",
        ylabel="with this score or less, % of the group",
        ylim=(0, 1),
    )
    _percent(axes.yaxis)
    axes.legend(loc="upper left")
    return figure


def plot_reliability(
    table: Sequence[ReliabilityBin],
    pd_: Values,
    *,
    measures: Mapping[str, Measure],
    title: str,
) -> Figure:
    """Draw observed bad rates against predicted ones, and how often each occurs.

    Args:
        table: The reliability table of the same applications.
        pd_: Probability of default, shape (n,).
        measures: Holds ``calibration_slope`` and ``calibration_intercept``.
        title: What the plot is of.
    """
    figure = Figure(figsize=_TALL, dpi=_DPI, layout="constrained")
    upper, lower = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [4, 1]}
    )
    figure.suptitle(title)
    mean, rate, low, high = np.array(
        [(line.mean_pd, line.bad_rate, line.low, line.high) for line in table]
    ).T
    limit = min(1.0, 1.05 * max(float(high.max()), float(pd_.max())))
    upper.plot([0, limit], [0, limit], color=PALE, linestyle="--", label="perfect")
    upper.errorbar(
        mean,
        rate,
        # An interval of a share of 0 or 1 may end a rounding error inside it.
        yerr=np.maximum([rate - low, high - rate], 0),
        color=GOOD,
        fmt="o",
        capsize=3,
        label="observed, with 95 % interval",
    )
    upper.set(ylabel="bads observed, %", xlim=(0, limit), ylim=(0, limit))
    upper.legend(loc="upper left")
    upper.text(
        0.98,
        0.05,
        f"slope {_with_interval(measures['calibration_slope'], 2)}\n"
        f"intercept {_with_interval(measures['calibration_intercept'], 2)}",
        transform=upper.transAxes,
        ha="right",
        va="bottom",
    )
    lower.hist(pd_, bins=np.linspace(0, limit, 41), color=PALE)
    lower.set(xlabel="predicted probability of default, %", ylabel="applications")
    _percent(upper.xaxis, upper.yaxis)
    for axes in (upper, lower):
        _plain(axes)
    return figure


def plot_score_distribution(
    score: Values, bad: Values, *, cut_offs: Mapping[str, float], title: str
) -> Figure:
    """Draw how the scores of goods and of bads are spread.

    Args:
        score: Points, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        cut_offs: Name -> score at which the decision changes.
        title: What the plot is of.
    """
    figure, axes = _figure(title)
    edges = np.histogram_bin_edges(score, bins=50)
    groups = (("goods", 0, GOOD, "////"), ("bads", 1, BAD, None))
    for name, outcome, colour, hatch in groups:
        members = score[bad == outcome]
        axes.hist(
            members,
            bins=list(edges),
            weights=np.full(members.size, 1 / max(members.size, 1)),
            histtype="stepfilled",
            facecolor=to_rgba(colour, 0.25),
            edgecolor=colour,
            linewidth=1.5,
            hatch=hatch,
            label=f"{name} ({members.size:,})",
        )
    top = axes.get_ylim()[1]
    axes.set_ylim(0, 1.12 * top)
    for name, cut_off in cut_offs.items():
        axes.axvline(cut_off, color=LINE, linestyle=":")
        axes.text(
            cut_off,
            1.11 * top,
            f" {name} {cut_off:g}",
            rotation=90,
            ha="right",
            va="top",
            fontsize="small",
        )
    axes.set(xlabel="score, points", ylabel="applications, % of the group")
    _percent(axes.yaxis)
    axes.legend(loc="upper left")
    return figure


def plot_importance(
    points_by_feature: Mapping[str, float], *, shown: int, title: str
) -> Figure:
    """Draw which features move the score most.

    Args:
        points_by_feature: Feature -> mean absolute contribution in points.
        shown: How many features to draw, the strongest first.
        title: What the plot is of.
    """
    ranked = sorted(points_by_feature.items(), key=lambda item: (-item[1], item[0]))
    top = [item for item in ranked if item[1] > 0][:shown]
    figure, axes = _figure(title, size=(8.0, 1.6 + 0.28 * max(len(top), 4)))
    names = [name.replace("_", " ") for name, _ in top]
    bars = axes.barh(names, [points for _, points in top], color=GOOD)
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize="small")
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.grid(visible=False, axis="y")
    left = len(ranked) - len(top)
    axes.set_xlabel(
        "mean absolute contribution, points of the score"
        + (f" ({left} weaker features not shown)" if left else "")
    )
    return figure


def plot_bins(
    bins_by_feature: Mapping[str, Sequence[FeatureBin]], *, title: str
) -> Figure:
    """Draw observed and predicted risk along each of some features.

    Args:
        bins_by_feature: Feature -> its bins, from low values to high.
        title: What the plot is of.
    """
    columns = 2
    rows = -(-len(bins_by_feature) // columns)
    figure = Figure(figsize=(8.0, 0.8 + 2.9 * rows), dpi=_DPI, layout="constrained")
    figure.suptitle(title)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (feature, bins) in zip(grid, bins_by_feature.items(), strict=False):
        _draw_bins(axes, feature, bins)
    for axes in grid[len(bins_by_feature) :]:
        axes.set_visible(False)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _draw_bins(axes: "Axes", feature: str, bins: Sequence[FeatureBin]) -> None:
    place = np.arange(len(bins))
    rates = np.array([item.bad_rate for item in bins])
    low, high = np.array([(item.low, item.high) for item in bins]).T
    axes.bar(place, rates, color=BAD, alpha=0.35, label="bads observed")
    axes.errorbar(
        place,
        rates,
        yerr=np.maximum([rates - low, high - rates], 0),
        color=BAD,
        fmt="none",
        capsize=2,
    )
    means = [item.mean_pd for item in bins]
    axes.plot(place, means, "o", color=GOOD, markersize=5, label="mean PD")
    top = 1.25 * max(float(high.max()), *means)
    axes.set_ylim(0, top)
    for k, item in enumerate(bins):
        if item.woe is not None:
            woe = f"{item.woe:+.2f}"
            axes.text(k, 0.98 * top, woe, ha="center", va="top", fontsize=7)
    axes.set_xticks(
        place,
        [item.values for item in bins],
        rotation=30,
        ha="right",
        rotation_mode="anchor",
        fontsize=7,
    )
    axes.set_title(feature.replace("_", " "), fontsize="medium")
    axes.set_ylabel("bads, %")
    _percent(axes.yaxis)
    _plain(axes)
    axes.grid(visible=False, axis="x")


def _figure(title: str, size: tuple[float, float] = _SIZE) -> "tuple[Figure, Axes]":
    figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    _plain(axes)
    return figure, axes


def _plain(axes: "Axes") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)


def _percent(*scales: "Axis") -> None:
    for scale in scales:
        # The label names the unit, so the ticks need no sign.
        scale.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=""))


def _with_interval(measure: Measure, digits: int = 3) -> str:
    value = f"{measure.value:.{digits}f}"
    if measure.low is None or measure.high is None:
        return value
    return f"{value} ({measure.low:.{digits}f} to {measure.high:.{digits}f})"
