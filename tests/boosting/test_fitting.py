import numpy as np
import pandas as pd
import pytest

from credit_scoring.boosting import fitting
from credit_scoring.boosting.fitting import fit_boosting
from credit_scoring.boosting.parameters import BoostingParameters
from credit_scoring.errors import TrainingError

PARAMETERS = BoostingParameters.model_validate(
    {
        "seed": 3,
        "n_trials": 4,
        "max_rounds": 60,
        "early_stopping_rounds": 10,
        "max_bin": 32,
        "nthread": 1,
        "starting_point": {
            "max_depth": 3,
            "learning_rate": 0.2,
            "min_child_weight": 5,
            "subsample": 0.8,
            "colsample_bytree": 0.8,
            "reg_lambda": 1,
            "gamma": 0,
        },
        "search_space": {
            "max_depth": {"low": 2, "high": 4},
            "learning_rate": {"low": 0.05, "high": 0.3, "log": True},
            "min_child_weight": {"low": 1, "high": 20, "log": True},
            "subsample": {"low": 0.6, "high": 1},
            "colsample_bytree": {"low": 0.5, "high": 1},
            "reg_lambda": {"low": 0.1, "high": 10, "log": True},
            "gamma": {"low": 0, "high": 1},
        },
    }
)
DIRECTIONS = (1, -1, 1, 0, 0, 0)


def fit(sample, **changes):
    x, bad = sample.x, sample.bad
    arguments = {
        "feature_names": sample.names,
        "directions": DIRECTIONS,
        "parameters": PARAMETERS,
        **changes,
    }
    return fit_boosting(x[:3_000], bad[:3_000], x[3_000:], bad[3_000:], **arguments)


@pytest.fixture(scope="module")
def fitted(sample):
    return fit(sample)


def test_the_best_trial_is_chosen(fitted):
    best = fitted.trials.sort_values("validation_log_loss").iloc[0]
    assert fitted.chosen["training_rows"] == 3_000
    for name in fitted.chosen.keys() - {"training_rows"}:
        assert best[name] == fitted.chosen[name]
    assert len(fitted.trials) == 4
    assert len(fitted.model.trees.roots) == fitted.chosen["n_trees"]
    assert fitted.model.trees.depth() <= fitted.chosen["max_depth"]


def test_the_chosen_loss_is_that_of_the_models_margins(fitted, sample):
    margin, bad = fitted.model.margin(sample.x[3_000:]), sample.bad[3_000:]
    loss = np.mean(np.logaddexp(0, margin) - bad * margin)
    assert fitted.chosen["validation_log_loss"] == pytest.approx(loss, abs=1e-6)


def test_the_model_tells_goods_from_bads(fitted, sample):
    margin, bad = fitted.model.margin(sample.x[3_000:]), sample.bad[3_000:]
    assert margin[bad == 1].mean() > margin[bad == 0].mean() + 0.5


def test_trees_stop_growing_when_validation_does_not_gain(fitted):
    assert (fitted.trials["n_trees"] < PARAMETERS.max_rounds).any()
    assert (fitted.trials["n_trees"] >= 1).all()


def test_two_runs_give_the_same_bytes(fitted, sample):
    again = fit(sample)
    assert again.model.booster == fitted.model.booster
    assert again.chosen == fitted.chosen
    pd.testing.assert_frame_equal(again.trials, fitted.trials)


def test_margins_move_only_in_the_features_directions(fitted, sample):
    for column, direction in enumerate(DIRECTIONS):
        values = np.unique(sample.x[:, column])[:-1]
        grid = values[:: max(1, len(values) // 50)]
        rows = np.repeat(sample.x[:40], len(grid), axis=0)
        rows[:, column] = np.tile(grid, 40)
        steps = np.diff(fitted.model.margin(rows).reshape(40, len(grid)), axis=1)
        # Rounding of the float32 sum is all that may go the other way.
        assert direction == 0 or (direction * steps).min() > -1e-5


def test_a_search_that_gave_no_model_is_refused(sample, monkeypatch):
    nothing = pd.DataFrame({"validation_log_loss": []})
    monkeypatch.setattr(fitting, "search_hyperparameters", lambda *_: nothing)
    with pytest.raises(TrainingError, match="no trial gave a model"):
        fit(sample)


def test_outcomes_may_be_floats(fitted, sample):
    floats = type(sample)(sample.x, sample.bad.astype(np.float64))
    assert fit(floats).model.booster == fitted.model.booster


def test_the_booster_names_its_features(fitted, sample):
    import xgboost

    booster = xgboost.Booster(model_file=bytearray(fitted.model.booster))
    assert tuple(booster.feature_names) == sample.names


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (0, "validation has 1000 goods and 0 bads among 1000 rows; expected both"),
        (1, "validation has 0 goods and 1000 bads among 1000 rows; expected both"),
        (2, "validation has 0 goods and 0 bads among 1000 rows; .* nothing else"),
    ],
)
def test_a_sample_without_goods_or_bads_is_refused(sample, bad, message):
    outcomes = sample.bad.copy()
    outcomes[3_000:] = bad
    with pytest.raises(TrainingError, match=message):
        fit(type(sample)(sample.x, outcomes))


def test_features_of_another_shape_are_refused(sample):
    with pytest.raises(
        TrainingError, match=r"train features have shape \(3000, 6\); .* \(3000, 5\)"
    ):
        fit(sample, feature_names=sample.names[:5])


def test_another_number_of_directions_is_refused(sample):
    with pytest.raises(TrainingError, match="5 directions for 6 features"):
        fit(sample, directions=DIRECTIONS[:5])
