import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from credit_scoring.errors import TrainingError
from credit_scoring.scorecard.selection import drop_correlated, fit_weights, weigh


@pytest.fixture
def evidence():
    """Three independent columns of evidence, the last one useless."""
    random = np.random.default_rng(5)
    woe = random.normal(0, 1, (5000, 3))
    log_odds = -1 - 1.0 * woe[:, 0] - 0.5 * woe[:, 1]
    bad = (random.random(5000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    return woe, bad


def test_each_value_becomes_the_weight_of_its_bin(utilisation, months_late):
    x = np.array([[0.5, 2.0], [np.nan, np.nan]])
    assert weigh(x, [utilisation, months_late]).tolist() == [[0.25, -2.0], [0, -0.25]]


def test_a_column_that_repeats_an_earlier_one_is_left_out(evidence):
    woe, _ = evidence
    repeated = np.column_stack([woe, woe[:, 0] + 0.1 * woe[:, 2]])
    found = drop_correlated(repeated, ["a", "b", "c", "d"], max_correlation=0.9)
    assert list(found) == [3]
    assert found[3].startswith("repeats a, which is more informative: correlation 0.99")


def test_one_column_repeats_nothing(evidence):
    woe, _ = evidence
    assert drop_correlated(woe[:, :1], ["a"], max_correlation=0.5) == {}


def test_coefficients_are_those_of_logistic_regression(evidence):
    woe, bad = evidence
    weights = fit_weights(woe, bad, columns=[0, 1], c=1.0)
    independent = LogisticRegression(C=1.0, tol=1e-10).fit(woe[:, :2], bad)
    np.testing.assert_allclose(weights.coefficients, independent.coef_[0], atol=1e-5)
    np.testing.assert_allclose(
        weights.log_odds(woe), independent.decision_function(woe[:, :2]), atol=1e-4
    )
    assert weights.left_out == {}


def test_a_column_of_reversed_sign_is_left_out_and_the_rest_fitted_again(evidence):
    woe, bad = evidence
    reversed_ = np.column_stack([woe[:, 0], -woe[:, 1], woe[:, 1]])
    weights = fit_weights(reversed_, bad, columns=[0, 1], c=1.0)
    assert weights.columns == (0,)
    assert weights.left_out[1].startswith("reversed sign beside the other features")
    alone = fit_weights(reversed_, bad, columns=[0], c=1.0)
    assert weights.coefficients == alone.coefficients


def test_no_column_of_the_right_sign_is_refused(evidence):
    woe, bad = evidence
    with pytest.raises(TrainingError, match="none of 2 features keeps a coefficient"):
        fit_weights(-woe, bad, columns=[0, 1], c=1.0)
