import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.bootstrap import BootstrapParameters
from credit_scoring.pipelines.evaluation import nodes, plot_nodes
from credit_scoring.pipelines.evaluation.parameters import EvaluationParameters
from credit_scoring.pipelines.training.parameters import CandidateParameters
from credit_scoring.scorecard.model import Bin, Scorecard, ScorecardTable, Term

CALIBRATION = {"slope": 0.9, "intercept": 0.1}
EVALUATION = EvaluationParameters(bootstrap=BootstrapParameters(replicates=20))
CANDIDATE = CandidateParameters.model_validate({"family": "scorecard"})


@pytest.fixture(scope="module")
def decision():
    return DecisionParameters.model_validate(
        {
            "scaling": {"base_score": 600, "base_odds": 20, "pdo": 40},
            "policy": {
                "approve_from": 520,
                "decline_below": 480,
                "bands": [
                    {"code": "A", "from": 520},
                    {"code": "B", "from": 480},
                    {"code": "C"},
                ],
                "rules": [],
                "history_unavailable_text": "We could not read your history.",
            },
            "background": {"within_points": 10, "minimum_rows": 10},
        }
    )


@pytest.fixture(scope="module")
def model_input():
    random = np.random.default_rng(22)
    late = random.integers(0, 4, 2000).astype(float)
    bad = random.random(2000) < 1 / (1 + np.exp(1.5 - 0.8 * late))
    return pd.DataFrame(
        {
            "loan_id": [f"L{k}" for k in range(2000)],
            "split": np.resize(["train", "validation", "calibration", "test"], 2000),
            "bad": bad.astype("int8"),
            "idle": random.normal(0, 1, 2000),
            "months_late": np.where(random.random(2000) < 0.1, np.nan, late),
        }
    )


@pytest.fixture(scope="module")
def model():
    edges = (None, 1.0, 2.0, 3.0, None)
    bins = tuple(
        Bin(at_least=low, below=high, goods=90, bads=10, woe=woe)
        for low, high, woe in zip(
            edges, edges[1:], (1.0, 0.3, -0.5, -1.5), strict=False
        )
    )
    term = Term(
        feature="months_late",
        direction=1,
        information_value=0.5,
        coefficient=-0.9,
        bins=bins,
        missing=Bin(goods=30, bads=10, woe=0.1),
    )
    features = ("months_late", "idle")
    table = ScorecardTable(features=features, intercept=-1.0, terms=(term,))
    return Scorecard(table).with_background(np.zeros((5, 2)))


@pytest.fixture(scope="module")
def predictions(model, model_input, decision):
    return nodes.predict(model, CALIBRATION, model_input, decision)


@pytest.fixture(scope="module")
def metrics(predictions):
    return nodes.measure_candidate(predictions, EVALUATION)


@pytest.fixture(scope="module")
def importance(model, model_input, decision):
    return nodes.rank_features(model, CALIBRATION, model_input, decision, EVALUATION)


def test_every_application_is_predicted_in_its_place(predictions, model_input):
    assert list(predictions.columns) == [
        "loan_id",
        "split",
        "bad",
        "margin",
        "pd",
        "score",
    ]
    assert predictions["loan_id"].tolist() == model_input["loan_id"].tolist()


def test_pd_and_score_follow_from_the_calibrated_margin(predictions):
    log_odds = 0.1 + 0.9 * predictions["margin"]
    expected = 1 / (1 + np.exp(-log_odds))
    np.testing.assert_allclose(predictions["pd"], expected, rtol=1e-14)
    odds = (1 - expected) / expected
    points = 600 + 40 * np.log2(odds / 20)
    np.testing.assert_allclose(predictions["score"], points, rtol=1e-12)


def test_each_split_has_every_measure_and_the_test_split_intervals(metrics):
    assert list(metrics) == ["train", "validation", "calibration", "test"]
    names = {frozenset(measures) for measures in metrics.values()}
    assert len(names) == 1
    assert names.pop() >= {*nodes.COMPARED, "rows", "bads"}
    assert metrics["test"]["auc"]["low"] < metrics["test"]["auc"]["value"]
    assert metrics["test"]["psi"]["low"] is not None
    assert metrics["validation"]["auc"]["low"] is None
    assert metrics["train"]["psi"]["value"] == 0
    json.dumps(metrics, allow_nan=False)


def test_a_missing_split_is_refused(predictions):
    no_test = predictions[predictions["split"] != "test"]
    with pytest.raises(EvaluationError, match="split test has no row of 1500"):
        nodes.measure_candidate(no_test, EVALUATION)


def test_the_reliability_table_covers_the_test_split(predictions):
    table = nodes.tabulate_reliability(predictions, EVALUATION)
    assert list(table.columns) == ["n", "mean_pd", "bad_rate", "low", "high"]
    assert table["n"].sum() == 500


def test_features_are_ranked_by_the_points_they_move(importance, predictions):
    assert importance["feature"].tolist() == ["months_late", "idle"]
    assert importance["mean_absolute_points"][1] == 0
    # The whole score is months_late, and the background is not late.
    test = predictions[predictions["split"] == "test"]["score"]
    expected = (predictions["score"].max() - test).abs().mean()
    assert importance["mean_absolute_points"][0] == pytest.approx(expected)


def test_points_of_the_one_feature_are_the_scores(model, decision, predictions):
    table = nodes.tabulate_points(model, CALIBRATION, decision)
    assert len(table) == 5
    assert table["values"].iloc[-1] == "missing"
    scores = np.sort(predictions["score"].unique())
    np.testing.assert_allclose(np.sort(table["points"]), scores, atol=1e-9)


def test_candidates_stand_beside_each_other(metrics):
    comparison = nodes.compare_candidates(
        EVALUATION, scorecard=metrics, boosting=metrics
    )
    assert comparison["rows"] == 500
    assert list(comparison["candidates"]) == ["scorecard", "boosting"]
    table = nodes.tabulate_comparison(comparison)
    assert table["measure"].tolist() == list(nodes.COMPARED)
    assert table["scorecard"].tolist() == table["boosting"].tolist()
    assert {"scorecard_low", "boosting_high"} <= set(table.columns)


def test_candidates_measured_on_other_rows_are_not_compared(metrics):
    other = {"test": metrics["test"] | {"rows": {"value": 7.0}}}
    with pytest.raises(EvaluationError, match="2 candidates were measured on 2"):
        nodes.compare_candidates(EVALUATION, scorecard=metrics, boosting=other)


def test_every_plot_is_drawn(  # noqa: PLR0913, PLR0917 - all that plots show
    model, model_input, predictions, metrics, importance, decision
):
    said = (EVALUATION, CANDIDATE)
    table = nodes.tabulate_reliability(predictions, EVALUATION)
    figures = [
        plot_nodes.draw_roc(predictions, metrics, *said),
        plot_nodes.draw_ks(predictions, metrics, *said),
        plot_nodes.draw_reliability(predictions, table, metrics, *said),
        plot_nodes.draw_score_distribution(predictions, decision, *said),
        plot_nodes.draw_importance(importance, *said),
        plot_nodes.draw_bins(model, model_input, predictions, importance, *said),
    ]
    assert all(isinstance(figure, Figure) for figure in figures)
    titles = [f.get_suptitle() or f.axes[0].get_title() for f in figures]
    assert all(title.endswith(": scorecard, test split") for title in titles)


def test_a_scorecards_own_bins_are_drawn(model, model_input, predictions, importance):
    figure = plot_nodes.draw_bins(
        model, model_input, predictions, importance, EVALUATION, CANDIDATE
    )
    own, cut = figure.axes
    assert [label.get_text() for label in own.get_xticklabels()] == [
        "< 1",
        "1 to 2",
        "2 to 3",
        "≥ 3",
        "missing",
    ]
    assert len(own.texts) == 5
    assert len(cut.texts) == 0


def test_another_models_features_are_cut_evenly(model_input, predictions, importance):
    figure = plot_nodes.draw_bins(
        object(), model_input, predictions, importance, EVALUATION, CANDIDATE
    )
    assert "Risk along features" in figure.get_suptitle()
    assert len(figure.axes[1].patches) == 6
