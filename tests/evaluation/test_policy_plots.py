import io

import pytest
from matplotlib.figure import Figure

from credit_scoring.evaluation.policy_plots import (
    plot_bands,
    plot_impact_ratios,
    plot_profit,
)


def drawn(figure: Figure) -> list[str]:
    """Draw it, and give its texts."""
    figure.savefig(io.BytesIO(), format="png")
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_xticklabels()]
    labels += [label.get_text() for label in axes.get_yticklabels()]
    return [axes.get_title(), *(text.get_text() for text in axes.texts), *labels]


def test_profit_is_drawn_with_the_cut_offs():
    lines = [
        {"score": 600.0, "expected_profit": 0.01, "profit": 0.012},
        {"score": 500.0, "expected_profit": 0.03, "profit": 0.028},
    ]
    texts = drawn(plot_profit(lines, marks=[("policy", 520.0), ("best", 515.5)]))
    assert " policy 520" in texts
    assert " best 515.5" in texts
    same = drawn(plot_profit(lines, marks=[("policy", 520.0), ("best", 520.0)]))
    assert " policy, best 520" in same


def test_bands_are_drawn_even_if_one_is_empty():
    full = {"share": 0.6, "bad_rate": 0.0, "low": 0.0, "high": 0.1, "mean_pd": 0.02}
    empty = {**dict.fromkeys(full), "share": 0.0}
    texts = drawn(plot_bands([{"band": "A", **full}, {"band": "B", **empty}]))
    assert {"A", "B"} <= {*texts}


def test_groups_are_drawn_beside_the_one_they_are_compared_with():
    line = {"attribute": "sex", "rows": 1200, "impact_ratio": 0.9}
    line |= {"impact_ratio_low": 0.85, "impact_ratio_high": 0.95}
    lines = [
        {**line, "group": "female", "reference": True},
        {**line, "group": "not_said", "reference": False},
    ]
    texts = drawn(plot_impact_ratios(lines, least=0.8))
    assert "sex: not said (1,200)" in texts
    assert not [text for text in texts if "female" in text]


@pytest.mark.parametrize(
    "figure",
    [plot_profit([], marks=[]), plot_bands([]), plot_impact_ratios([], least=0.8)],
)
def test_nothing_measured_is_said_on_the_plot(figure):
    assert "nothing was measured" in drawn(figure)
