import io

import optuna
import pandas as pd
import pytest
from rich.console import Console

from credit_scoring.boosting import search
from credit_scoring.boosting.parameters import (
    BoostingParameters,
    Hyperparameters,
    SearchSpace,
)
from credit_scoring.boosting.search import Trial, search_hyperparameters

POINT = {
    "max_depth": 3,
    "learning_rate": 0.1,
    "min_child_weight": 10,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "reg_lambda": 1,
    "gamma": 0,
}
SPACE = {
    "max_depth": {"low": 2, "high": 4},
    "learning_rate": {"low": 0.01, "high": 0.3, "log": True},
    "min_child_weight": {"low": 1, "high": 100, "log": True},
    "subsample": {"low": 0.5, "high": 1},
    "colsample_bytree": {"low": 0.2, "high": 1},
    "reg_lambda": {"low": 0.1, "high": 10, "log": True},
    "gamma": {"low": 0, "high": 1},
}


def parameters(**changes):
    document = {
        "seed": 3,
        "n_trials": 25,
        "max_rounds": 10,
        "early_stopping_rounds": 2,
        "max_bin": 16,
        "nthread": 1,
        "starting_point": POINT,
        "search_space": SPACE,
    }
    return BoostingParameters.model_validate({**document, **changes})


def bowl(point: Hyperparameters) -> Trial:
    """Lowest at a learning rate of 0.05 and a subsample of 0.9."""
    loss = (point.learning_rate - 0.05) ** 2 + (point.subsample - 0.9) ** 2
    return Trial(loss=loss, measures={"n_trees": 7})


def test_the_first_trial_is_the_starting_point():
    first = search_hyperparameters(bowl, parameters(n_trials=1)).iloc[0]
    assert {name: first[name] for name in POINT} == POINT
    assert first["validation_log_loss"] == bowl(Hyperparameters(**POINT)).loss
    assert first["n_trees"] == 7


def test_the_budget_is_the_number_of_trials():
    trials = search_hyperparameters(bowl, parameters(n_trials=6))
    assert trials["trial"].tolist() == list(range(6))


def test_the_same_seed_gives_the_same_trials():
    one, two = (search_hyperparameters(bowl, parameters()) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


def test_another_seed_gives_other_trials():
    one, two = (search_hyperparameters(bowl, parameters(seed=s)) for s in (1, 2))
    assert not one["subsample"].equals(two["subsample"])


def test_every_trial_is_inside_the_search_space():
    trials = search_hyperparameters(bowl, parameters())
    for name in SearchSpace.model_fields:
        assert trials[name].between(SPACE[name]["low"], SPACE[name]["high"]).all()
    assert set(trials["max_depth"]) <= {2, 3, 4}


def test_the_search_finds_better_than_the_starting_point():
    loss = search_hyperparameters(bowl, parameters())["validation_log_loss"]
    assert loss.min() < loss.iloc[0] / 2


def test_the_search_leaves_optunas_logging_as_it_was():
    before = optuna.logging.get_verbosity()
    search_hyperparameters(bowl, parameters(n_trials=1))
    assert optuna.logging.get_verbosity() == before


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_is_shown_to_a_person_only(monkeypatch, terminal):
    shown = io.StringIO()

    def console(stderr):
        assert stderr
        return Console(file=shown, force_terminal=terminal, width=80)

    monkeypatch.setattr(search, "Console", console)
    search_hyperparameters(bowl, parameters(n_trials=3))
    assert ("3/3" in shown.getvalue()) == terminal
    assert terminal or not shown.getvalue()
