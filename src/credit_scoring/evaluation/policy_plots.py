"""Plots of a policy: what it earns, whom it approves, and how groups fare.

Each takes the lines of a table and draws an empty figure that says so if there
are none.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from credit_scoring.evaluation.plots import BAD, GOOD, LINE, PALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = (8.0, 5.2)
_DPI = 110
Lines = Sequence[Mapping[str, Any]]


def plot_profit(lines: Lines, *, marks: Sequence[tuple[str, float]]) -> Figure:
    """Draw what approving from each score on earns.

    Args:
        lines: ``score``, ``expected_profit`` and ``profit`` of each cut-off.
        marks: Name of a cut-off to point at, and its score; those of one score
            share a line.
    """
    figure, axes = _figure("Profit by cut-off, share of all that was applied for")
    if not lines:
        return _empty(figure, axes)
    scores, hoped, came = _columns(lines, "score", "expected_profit", "profit")
    axes.plot(scores, 100 * hoped, color=GOOD, label="expected from the PDs")
    axes.plot(scores, 100 * came, color=BAD, linestyle="--", label="by the outcomes")
    axes.axhline(0, color=PALE, linewidth=1)
    for score in sorted({score for _, score in marks}):
        name = ", ".join(name for name, at in marks if at == score)
        axes.axvline(score, color=LINE, linestyle=":")
        axes.annotate(
            f" {name} {score:g}",
            (score, 0.02),
            xycoords=("data", "axes fraction"),
            rotation=90,
            ha="right",
            fontsize="small",
        )
    axes.set(xlabel="approved from, points", ylabel="profit, %")
    axes.legend(loc="best")
    return figure


def plot_bands(lines: Lines) -> Figure:
    """Draw the size of each band, and its bad rate beside its mean PD.

    Args:
        lines: ``band``, ``share``, ``bad_rate``, ``low``, ``high`` and
            ``mean_pd`` of each band.
    """
    figure, axes = _figure("Applicants and bad rate by band")
    if not lines:
        return _empty(figure, axes)
    share, rate, low, high, mean = _columns(
        lines, "share", "bad_rate", "low", "high", "mean_pd"
    )
    place = np.arange(len(lines))
    axes.bar(place, share, color=PALE, alpha=0.5, label="share of applicants")
    axes.errorbar(
        place,
        rate,
        # An interval of a share of 0 or 1 may end a rounding error inside it.
        yerr=np.maximum([rate - low, high - rate], 0),
        color=BAD,
        fmt="o",
        capsize=3,
        label="bad rate, with 95 % interval",
    )
    axes.plot(place, mean, "x", color=GOOD, label="mean PD")
    axes.set_xticks(place, [str(line["band"]) for line in lines])
    axes.set(xlabel="band, the safest first", ylabel="%")
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=""))
    axes.legend(loc="best")
    return figure


def plot_impact_ratios(lines: Lines, *, least: float) -> Figure:
    """Draw each group's approval rate over that of the one it is compared with.

    Args:
        lines: ``attribute``, ``group``, ``reference``, ``rows``,
            ``impact_ratio`` and its ends, of each group.
        least: The ratio that is asked for.
    """
    shown = [line for line in lines if not line["reference"]]
    figure, axes = _figure(
        "Approval rate over that of the most often approved group",
        size=(8.0, 1.8 + 0.4 * max(len(shown), 4)),
    )
    if not shown:
        return _empty(figure, axes)
    ratio, low, high = _columns(
        shown, "impact_ratio", "impact_ratio_low", "impact_ratio_high"
    )
    place = np.arange(len(shown))
    axes.errorbar(
        ratio,
        place,
        xerr=np.maximum([ratio - low, high - ratio], 0),
        color=GOOD,
        fmt="o",
        capsize=3,
    )
    axes.axvline(1, color=PALE, label="equal")
    axes.axvline(least, color=BAD, linestyle="--", label=f"least, {least:g}")
    names = [
        f"{line['attribute']}: {line['group']} ({line['rows']:,})" for line in shown
    ]
    axes.set_yticks(place, [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.set_xlabel("adverse impact ratio, with 95 % interval")
    axes.legend(loc="best")
    return figure


def _columns(lines: Lines, *names: str) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    return [
        np.array([np.nan if line[n] is None else line[n] for line in lines], float)
        for n in names
    ]


def _figure(title: str, size: tuple[float, float] = _SIZE) -> "tuple[Figure, Axes]":
    figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _empty(figure: Figure, axes: "Axes") -> Figure:
    axes.text(0.5, 0.5, "nothing was measured", ha="center", transform=axes.transAxes)
    return figure
