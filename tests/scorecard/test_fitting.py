import numpy as np
import pytest

from credit_scoring.errors import TrainingError
from credit_scoring.scorecard.fitting import fit_scorecard
from credit_scoring.scorecard.parameters import ScorecardParameters

NAMES = ("risky", "safe", "copy", "noise", "constant")
DIRECTIONS = (1, -1, 1, 0, 0)
PARAMETERS = ScorecardParameters(n_trials=3)


def sample(rows, seed):
    random = np.random.default_rng(seed)
    x = random.normal(0, 1, (rows, 5))
    x[:, 2] = x[:, 0] + 0.05 * x[:, 2]
    x[:, 4] = 3
    log_odds = -1.2 + x[:, 0] - 0.8 * x[:, 1]
    bad = (random.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(float)
    x[random.random(rows) < 0.05, 1] = np.nan
    return x, bad


@pytest.fixture(scope="module")
def fitted():
    return fit(*sample(6000, 1), *sample(2000, 2))


def fit(train_x, train_bad, validation_x, validation_bad, parameters=PARAMETERS):
    return fit_scorecard(
        train_x,
        train_bad,
        validation_x,
        validation_bad,
        feature_names=NAMES,
        directions=DIRECTIONS,
        parameters=parameters,
    )


def test_the_informative_features_are_kept_and_the_others_say_why(fitted):
    kept = {term.feature for term in fitted.model.table.terms}
    assert "safe" in kept
    assert len(kept & {"risky", "copy"}) == 1
    left_out = fitted.model.left_out
    assert set(left_out) == set(NAMES) - kept
    assert left_out["constant"] == "constant: every value is the same"
    assert left_out["noise"].startswith(("information value", "one bin"))
    assert any(reason.startswith("repeats") for reason in left_out.values())


def test_every_coefficient_makes_more_evidence_safer(fitted):
    assert all(term.coefficient < 0 for term in fitted.model.table.terms)


def test_the_margin_estimates_the_log_odds_of_bad(fitted):
    x, _ = sample(20_000, 3)
    x = x[~np.isnan(x[:, 1])]
    truth = -1.2 + x[:, 0] - 0.8 * x[:, 1]
    found = fitted.model.margin(x)
    assert np.corrcoef(found, truth)[0, 1] > 0.97
    assert abs(found.mean() - truth.mean()) < 0.1


def test_risk_never_falls_along_a_features_direction(fitted):
    grid = np.zeros((200, 5))
    for column, direction in enumerate(DIRECTIONS):
        rows = grid.copy()
        rows[:, column] = np.linspace(-4, 4, 200)
        if direction:
            assert np.all(direction * np.diff(fitted.model.margin(rows)) >= 0)


def test_the_trial_with_the_lowest_validation_log_loss_is_chosen(fitted):
    trials = fitted.trials
    assert list(trials.columns) == [
        "trial",
        "c",
        "max_correlation",
        "features",
        "validation_log_loss",
    ]
    assert len(trials) == 3
    best_at = trials["validation_log_loss"].idxmin()
    best = trials.loc[best_at].to_dict()
    assert best.pop("trial") == int(best_at)
    assert fitted.chosen == best
    x, bad = sample(2000, 2)
    pd_ = 1 / (1 + np.exp(-fitted.model.margin(x)))
    loss = -np.mean(bad * np.log(pd_) + (1 - bad) * np.log(1 - pd_))
    assert best["validation_log_loss"] == pytest.approx(loss)


def test_the_same_seed_gives_the_same_scorecard(fitted):
    again = fit(*sample(6000, 1), *sample(2000, 2))
    assert again.model.table == fitted.model.table
    assert again.trials.equals(fitted.trials)


@pytest.mark.parametrize("split", ["training", "validation"])
@pytest.mark.parametrize("outcome", [0.0, 1.0, 2.0])
def test_a_split_without_both_outcomes_is_refused(split, outcome):
    x, bad = sample(100, 4)
    same = np.full(100, outcome)
    bads = (same, bad) if split == "training" else (bad, same)
    with pytest.raises(TrainingError, match=f"the {split} split has"):
        fit(x, bads[0], x, bads[1])


def test_data_without_information_are_refused():
    x, bad = sample(2000, 5)
    np.random.default_rng(6).shuffle(bad)
    parameters = ScorecardParameters(min_information_value=0.5)
    with pytest.raises(TrainingError, match="has an information value of 0"):
        fit(x, bad, x, bad, parameters)
