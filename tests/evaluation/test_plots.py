import io

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.image import imread

from credit_scoring.evaluation.bootstrap import BootstrapParameters
from credit_scoring.evaluation.calibration import log_odds, reliability_table
from credit_scoring.evaluation.feature_bins import rates_by_bin
from credit_scoring.evaluation.measures import Measure, measure_split
from credit_scoring.evaluation.plots import (
    plot_bins,
    plot_importance,
    plot_ks,
    plot_reliability,
    plot_roc,
    plot_score_distribution,
)

NO_INTERVAL = Measure(0.5)


@pytest.fixture(scope="module")
def measures(predicted):
    return measure_split(*predicted, bootstrap=BootstrapParameters(replicates=20))


@pytest.fixture
def score(predicted):
    return 500 - 50 * log_odds(predicted[0])


def draw(figure):
    """Render as the catalog does, and read back the size in pixels."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    buffer.seek(0)
    assert pyplot.get_fignums() == []
    return imread(buffer).shape[:2]


def texts(figure):
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        legend = axes.get_legend()
        found += [t.get_text() for t in legend.get_texts()] if legend else []
        found += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
        found += [label.get_text() for label in axes.get_xticklabels()]
        found += [label.get_text() for label in axes.get_yticklabels()]
    return found


def test_roc_shows_the_curve_and_the_auc_with_its_interval(predicted, measures):
    figure = plot_roc(*predicted, auc=measures["auc"], title="ROC")
    assert min(draw(figure)) > 600
    auc = measures["auc"]
    expected = f"AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})"
    assert expected in texts(figure)
    goods, bads = figure.axes[0].lines[0].get_data()
    assert np.trapezoid(bads, goods) == pytest.approx(auc.value, abs=1e-9)


def test_ks_marks_the_widest_gap(predicted, score):
    figure = plot_ks(score, predicted[1], ks=NO_INTERVAL, title="KS")
    draw(figure)
    (segment,) = figure.axes[0].collections[0].get_segments()
    expected = measure_split(*predicted)["ks"].value
    assert abs(segment[1, 1] - segment[0, 1]) == pytest.approx(expected)
    place = segment[0, 0]
    shares = [(score[predicted[1] == k] <= place).mean() for k in (0, 1)]
    assert shares == pytest.approx([segment[0, 1], segment[1, 1]])
    assert any(text.startswith("KS 0.500\nat ") for text in texts(figure))


def test_reliability_shows_each_bin_and_every_application(predicted, measures):
    pd_, bad = predicted
    table = reliability_table(pd_, bad)
    figure = plot_reliability(table, pd_, measures=measures, title="R")
    assert min(draw(figure)) > 600
    upper, lower = figure.axes
    assert len(upper.containers[0][0].get_xdata()) == len(table)
    assert sum(bar.get_height() for bar in lower.patches) == len(pd_)
    assert any(text.startswith("slope 0.") for text in texts(figure))


def test_reliability_can_show_bins_without_bads(measures):
    pd_, bad = np.linspace(0.01, 0.2, 60), np.zeros(60)
    bad[-1] = 1
    figure = plot_reliability(
        reliability_table(pd_, bad), pd_, measures=measures, title="R"
    )
    draw(figure)


def test_scores_of_each_outcome_sum_to_all_of_them(predicted, score):
    cut_offs = {"approve from": 520.0, "decline below": 480.0}
    figure = plot_score_distribution(
        score, predicted[1], cut_offs=cut_offs, title="Scores"
    )
    draw(figure)
    found = texts(figure)
    goods = int((predicted[1] == 0).sum())
    assert f"goods ({goods:,})" in found
    assert " approve from 520" in found
    assert "applications, % of the group" in found


def test_importance_shows_the_strongest_first_and_counts_the_rest():
    points = {"b_two": 2.0, "a_one": 9.0, "none": 0.0, "c_three": 1.0}
    figure = plot_importance(points, shown=2, title="Importance")
    draw(figure)
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["a one", "b two"]
    assert axes.yaxis_inverted()
    assert "(2 weaker features not shown)" in axes.get_xlabel()


def test_importance_of_few_features_hides_none():
    figure = plot_importance({"a": 1.0}, shown=5, title="Importance")
    assert "not shown" not in figure.axes[0].get_xlabel()


def test_bins_show_rates_pds_and_weights_of_evidence(predicted):
    pd_, bad = predicted
    values = np.round(log_odds(pd_))
    edges = np.array([-2.0, 0.0])
    plain = rates_by_bin(values, bad, pd_, edges=edges)
    weighed = rates_by_bin(values, bad, pd_, edges=edges, woes=np.arange(4.0))
    figure = plot_bins({"one_a": plain, "two": weighed, "three": plain}, title="Bins")
    draw(figure)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in shown] == ["one a", "two", "three"]
    assert [text.get_text() for text in shown[1].texts] == ["+0.00", "+1.00", "+2.00"]
    assert len(shown[0].texts) == 0
    heights = [bar.get_height() for bar in shown[0].patches]
    assert heights == [item.bad_rate for item in plain]
