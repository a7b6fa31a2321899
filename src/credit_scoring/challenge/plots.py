"""Plots of a challenge: the interval over the looks, ROC curves, calibration."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from credit_scoring.evaluation.calibration import reliability_table
from credit_scoring.evaluation.differences import Group
from credit_scoring.evaluation.discrimination import roc_auc, roc_points
from credit_scoring.evaluation.plots import BAD, GOOD, LINE, PALE

_SIZE = (7.0, 4.2)
_DPI = 100
_NAMES = ("champion", "challenger")
_COLOURS = (BAD, GOOD)


def plot_looks(looks: Sequence[Mapping[str, Any]], measure: str) -> Figure:
    """Draw the gain in a measure with its interval, look by look.

    Args:
        looks: The oldest first; one without the measure is left out.
        measure: Which one.
    """
    known = [look["measures"][measure] for look in looks if measure in look["measures"]]
    figure = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    rows = [one["rows"] for one in known]
    axes.axhline(0, color=LINE, linewidth=0.8)
    axes.fill_between(
        rows,
        [one["low"] for one in known],
        [one["high"] for one in known],
        color=GOOD,
        alpha=0.2,
        step=None,
        label="interval that holds at all looks together",
    )
    axes.plot(
        rows,
        [one["gain"] for one in known],
        "o-",
        color=GOOD,
        markersize=4,
        label="gain",
    )
    axes.set(
        xlabel="applicants compared",
        ylabel=f"gain in {measure.replace('_', ' ')}",
        title="Above 0 the challenger is better",
    )
    axes.legend(loc="best")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def plot_rocs(champion: Group, challenger: Group) -> Figure:
    """Draw both ROC curves."""
    figure = Figure(figsize=(5.2, 5.0), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    for name, colour, group in zip(
        _NAMES, _COLOURS, (champion, challenger), strict=True
    ):
        points = roc_points(group.pd_, group.bad)
        auc = roc_auc(group.pd_, group.bad)
        axes.plot(points.goods, points.bads, color=colour, label=f"{name} {auc:.3f}")
    axes.plot([0, 1], [0, 1], color=PALE, linestyle="--")
    axes.set(
        xlabel="share of goods declined",
        ylabel="share of bads declined",
        aspect="equal",
    )
    axes.legend(loc="lower right", title="AUC")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def plot_calibrations(champion: Group, challenger: Group) -> Figure:
    """Draw observed bad rates against predicted ones, for both."""
    figure = Figure(figsize=(5.6, 5.0), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    limit = 0.0
    for name, colour, group in zip(
        _NAMES, _COLOURS, (champion, challenger), strict=True
    ):
        table = reliability_table(group.pd_, group.bad)
        mean, rate, low, high = np.array(
            [(one.mean_pd, one.bad_rate, one.low, one.high) for one in table]
        ).T
        limit = max(limit, float(high.max()), float(mean.max()))
        spread = np.maximum([rate - low, high - rate], 0)
        axes.errorbar(
            mean, rate, yerr=spread, color=colour, fmt="o", capsize=3, label=name
        )
    axes.plot([0, limit], [0, limit], color=PALE, linestyle="--", label="perfect")
    axes.set(xlabel="mean PD", ylabel="bad rate, with 95 % interval")
    axes.legend(loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
