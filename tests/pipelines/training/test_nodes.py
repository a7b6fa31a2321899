import numpy as np
import pandas as pd
import pytest

from credit_scoring.decision.parameters import BackgroundParameters, DecisionParameters
from credit_scoring.decision.uncertainty import FeatureRange, Uncertainty
from credit_scoring.errors import TrainingError
from credit_scoring.features.definition import FeatureSet, feature
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)
from credit_scoring.pipelines.training import nodes
from credit_scoring.pipelines.training.nodes import (
    calibrate,
    choose_just_approved,
    describe_uncertainty,
    explain_against_just_approved,
    feature_matrix,
    fit_candidate,
    take_split,
    training_ranges,
)
from credit_scoring.pipelines.training.parameters import (
    CandidateParameters,
    TrainingParameters,
)
from credit_scoring.pipelines.validation.nodes import ValidationParameters
from credit_scoring.scorecard.scaling import score_from_log_odds


@feature(direction=1, reason="LATE")
def months_late(months):
    """Months late."""
    return months


@feature(direction=-1, reason="LIMIT")
def limit(amount):
    """Credit limit."""
    return amount


FEATURES = FeatureSet(
    name="two",
    features=[months_late, limit],
    reasons={"LATE": "You paid late.", "LIMIT": "Your limit is low."},
    source="",
)
TRAINING = TrainingParameters()
ENGINEERING = FeatureEngineeringParameters.model_validate(
    {
        "feature_set": "two",
        "split": {
            "salt": "any",
            "shares": {
                "train": 0.4, "validation": 0.1, "calibration": 0.2, "test": 0.3,
            },
        },
    }
)  # fmt: skip
INGESTED = {"data_digest": "0" * 64}
VALIDATION = ValidationParameters(
    maximum_rejected_share=0.02,
    minimum_rows=1,
    minimum_rows_of_each_class=1,
    rejected_file="rejected.csv",
)


@pytest.fixture(autouse=True)
def _two_features(monkeypatch):
    monkeypatch.setattr(nodes, "feature_set_of", lambda name, contract: FEATURES)


@pytest.fixture(scope="module")
def model_input():
    random = np.random.default_rng(21)
    rows = 6000
    x = random.normal(0, 1, (rows, 2))
    log_odds = -1.2 + 1.2 * x[:, 0] - 0.7 * x[:, 1]
    splits = ["train", "validation", "calibration", "test"]
    return pd.DataFrame(
        {
            "loan_id": [f"L{k}" for k in range(rows)],
            "split": random.choice(splits, rows, p=[0.5, 0.1, 0.1, 0.3]),
            "bad": (random.random(rows) < 1 / (1 + np.exp(-log_odds))).astype("int8"),
            "limit": x[:, 1],
            "months_late": x[:, 0],
        }
    )


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
            "background": {"within_points": 10, "minimum_rows": 300},
        }
    )


@pytest.fixture
def fitted(model_input):
    candidate = CandidateParameters.model_validate(
        {"family": "scorecard", "n_trials": 2}
    )
    return fit_candidate(
        model_input, INGESTED, candidate, None, ENGINEERING, VALIDATION
    )


def test_a_scorecard_is_fitted_when_the_family_says_so(fitted):
    assert fitted["fitted_model"].family == "scorecard"
    assert fitted["fitted_model"].features == ("months_late", "limit")
    assert len(fitted["search_trials"]) == 2
    assert fitted["chosen_parameters"]["features"] == 2


def test_boosting_is_fitted_when_the_family_says_so(model_input):
    point = {
        "max_depth": 2,
        "learning_rate": 0.3,
        "min_child_weight": 1,
        "subsample": 1,
        "colsample_bytree": 1,
        "reg_lambda": 1,
        "gamma": 0,
    }
    candidate = CandidateParameters.model_validate(
        {
            "family": "boosting",
            "seed": 1,
            "n_trials": 1,
            "max_rounds": 5,
            "early_stopping_rounds": 2,
            "max_bin": 16,
            "nthread": 1,
            "starting_point": point,
            "search_space": {k: {"low": v, "high": v} for k, v in point.items()},
        }
    )
    fitted = fit_candidate(
        model_input, INGESTED, candidate, None, ENGINEERING, VALIDATION
    )
    assert fitted["fitted_model"].family == "boosting"
    assert len(fitted["search_trials"]) == 1


def test_fitting_sees_only_train_and_validation_rows(model_input, fitted):
    changed = model_input.copy()
    unseen = changed["split"].isin(["calibration", "test"])
    changed.loc[unseen, ["limit", "months_late"]] = 99.0
    changed.loc[unseen, "bad"] = 1
    candidate = CandidateParameters.model_validate(
        {"family": "scorecard", "n_trials": 2}
    )
    again = fit_candidate(changed, INGESTED, candidate, None, ENGINEERING, VALIDATION)
    assert again["fitted_model"].table == fitted["fitted_model"].table


def test_calibration_sees_only_its_own_rows(model_input, fitted):
    model = fitted["fitted_model"]
    found = calibrate(model, model_input, TRAINING)
    assert set(found) == {"slope", "intercept"}
    only = model_input[model_input["split"] == "calibration"]
    assert calibrate(model, only, TRAINING) == found


def test_too_few_bads_to_calibrate_are_refused(model_input, fitted):
    few = TrainingParameters(min_calibration_bads=1000)
    with pytest.raises(TrainingError, match=r"bads among .* rows; expected 1000 or"):
        calibrate(fitted["fitted_model"], model_input, few)


def test_a_margin_that_falls_with_the_risk_is_refused(model_input, fitted):
    upside_down = model_input.copy()
    upside_down["bad"] = 1 - upside_down["bad"]
    with pytest.raises(TrainingError, match="does not rise with the risk"):
        calibrate(fitted["fitted_model"], upside_down, TRAINING)


def test_the_background_are_training_rows_just_above_the_cut_off(
    model_input, fitted, decision
):
    model = fitted["fitted_model"]
    calibration = calibrate(model, model_input, TRAINING)
    explained = explain_against_just_approved(model, calibration, model_input, decision)
    background = explained["background"]
    assert list(background.columns) == ["loan_id", "months_late", "limit"]
    train = model_input[model_input["split"] == "train"]
    assert set(background["loan_id"]) <= set(train["loan_id"])
    margin = model.margin(feature_matrix(background, model))
    log_odds = calibration["intercept"] + calibration["slope"] * margin
    scores = score_from_log_odds(log_odds, decision.scaling)
    assert len(background) >= 300
    assert np.all(np.diff(scores) >= 0)
    assert scores[0] >= 520
    contributions = explained["model"].contributions(feature_matrix(background, model))
    assert contributions.sum(axis=1).mean() == pytest.approx(0, abs=1e-9)


def test_all_near_the_cut_off_are_chosen_but_at_least_so_many():
    score = np.array([530.0, 519, 521, 525, 600, 520])
    near = choose_just_approved(
        score,
        approve_from=520,
        background=BackgroundParameters(within_points=5, minimum_rows=1),
    )
    assert near.tolist() == [5, 2, 3]
    more = choose_just_approved(
        score,
        approve_from=520,
        background=BackgroundParameters(within_points=5, minimum_rows=4),
    )
    assert more.tolist() == [5, 2, 3, 0]


def test_too_few_approved_are_refused():
    with pytest.raises(TrainingError, match="1 of 2 training applications score 520"):
        choose_just_approved(
            np.array([500.0, 530]),
            approve_from=520,
            background=BackgroundParameters(within_points=5, minimum_rows=2),
        )


def test_a_split_or_feature_that_is_missing_is_refused(model_input):
    only_train = model_input[model_input["split"] == "train"]
    with pytest.raises(TrainingError, match="split validation has no row"):
        take_split(only_train, "validation", FEATURES)
    with pytest.raises(TrainingError, match="1 features are not in the model input"):
        feature_matrix(model_input.drop(columns="limit"), FEATURES)


@pytest.fixture
def explained(model_input, decision, fitted):
    model = fitted["fitted_model"]
    calibration = calibrate(model, model_input, TRAINING)
    return explain_against_just_approved(model, calibration, model_input, decision)


def test_intervals_come_from_the_calibration_split_and_ranges_from_train(
    model_input, explained
):
    model = explained["model"]
    found = describe_uncertainty(model, model_input, TRAINING)
    used = model_input[model_input["split"].isin(["train", "calibration"])]
    assert describe_uncertainty(model, used, TRAINING) == found
    uncertainty = Uncertainty.model_validate(found)
    train = model_input[model_input["split"] == "train"]
    assert uncertainty.ranges["limit"] == FeatureRange(
        low=train["limit"].min(), high=train["limit"].max(), missing=False
    )
    assert uncertainty.pd_intervals.level == 0.95
    assert len(uncertainty.pd_intervals.margins) <= 200


def test_a_feature_that_moves_no_score_has_no_range(explained):
    class Half:
        features = ("months_late", "limit")

        def contributions(self, x):
            return explained["model"].contributions(x) * np.array([0.0, 1.0])

    x = np.array([[0.0, 0.0], [9.0, 1.0], [3.0, 3.0], [1.0, np.nan]])
    ranges = training_ranges(Half(), x, tail=0)
    assert ranges == {"limit": FeatureRange(low=0, high=3, missing=True)}


def test_a_tail_leaves_the_most_unusual_rows_out(explained):
    x = np.column_stack([np.arange(-500.0, 501.0), np.zeros(1001)])
    ranges = training_ranges(explained["model"], x, tail=0.01)
    assert (ranges["months_late"].low, ranges["months_late"].high) == (-490, 490)
