"""The picture of the search: what could have been, attribute by attribute."""

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from credit_scoring.evaluation.plots import BAD, GOOD, LINE, PALE
from credit_scoring.pipelines.alternatives.measuring import (
    CHOSEN,
    POLICY,
    SAME_APPROVALS,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 110


def plot_frontiers(
    table: pd.DataFrame, attributes: list[str], *, asked_for: float
) -> Figure:
    """Draw AUC (as many approved) and profit (any cut-off) against fairness.

    Args:
        table: Every model at every cut-off, measured on the test rows.
        attributes: Protected attributes, one column of panels each.
        asked_for: The impact ratio that the gates ask for.
    """
    wide = max(len(attributes), 2)
    figure = Figure(figsize=(3.3 * wide, 7.0), dpi=_DPI, layout="constrained")
    figure.suptitle("What else the data would have allowed, on the test rows")
    grid = figure.subplots(2, wide, squeeze=False, sharey="row")
    same = table[table["cut_off_rule"] == SAME_APPROVALS]
    for column, attribute in enumerate(attributes):
        upper, lower = grid[0, column], grid[1, column]
        _panel(upper, same, table, ("auc", attribute), asked_for)
        _panel(lower, table, table, ("profit", attribute), asked_for)
        upper.set_title(attribute.replace("_", " "))
        lower.set_xlabel("adverse impact ratio")
    for column in range(len(attributes), wide):
        grid[0, column].set_visible(False)
        grid[1, column].set_visible(False)
    grid[0, 0].set_ylabel("AUC, as many approved as today")
    grid[1, 0].set_ylabel("profit, share of all applied for")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _panel(
    axes: "Axes",
    shown: pd.DataFrame,
    table: pd.DataFrame,
    what: tuple[str, str],
    asked_for: float,
) -> None:
    figure, attribute = what
    x, y = f"impact_ratio_{attribute}_test", f"{figure}_test"
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.plot(shown[x], shown[y], ".", color=PALE, markersize=5, label="alternatives")
    best = shown[shown[f"frontier_{figure}_{attribute}"]].sort_values(x)
    axes.plot(
        best[x],
        best[y],
        "o",
        color=GOOD,
        markersize=5,
        markerfacecolor="none",
        label="frontier, drawn on other rows",
    )
    today = table[(table["kind"] == CHOSEN) & (table["cut_off_rule"] == POLICY)]
    axes.plot(today[x], today[y], "*", color=BAD, markersize=14, label="champion today")
    axes.axvline(asked_for, color=LINE, linestyle=":", label="asked for by the gates")
