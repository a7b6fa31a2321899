import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import (
    Recalibration,
    brier,
    calibration_in_the_large,
    fit_recalibration,
    log_loss,
    log_odds,
    recalibrate,
    reliability_table,
    shift_to_bad_rate,
    shrunk_recalibration,
    wilson_interval,
)


def test_hand_worked_brier_and_log_loss():
    pd_, bad = np.array([0.2, 0.5]), np.array([0.0, 1.0])
    assert brier(pd_, bad) == pytest.approx((0.04 + 0.25) / 2)
    assert log_loss(pd_, bad) == pytest.approx(-(np.log(0.8) + np.log(0.5)) / 2)
    weights = np.array([3.0, 1.0])
    assert brier(pd_, bad, weights) == pytest.approx((3 * 0.04 + 0.25) / 4)


def test_brier_and_log_loss_agree_with_scikit_learn(predicted, weights):
    pd_, bad = predicted
    for given_ in (None, weights):
        expected = metrics.brier_score_loss(bad, pd_, sample_weight=given_)
        assert brier(pd_, bad, given_) == pytest.approx(expected, abs=1e-12)
        expected = metrics.log_loss(bad, pd_, sample_weight=given_)
        assert log_loss(pd_, bad, given_) == pytest.approx(expected, abs=1e-12)


def negative_log_likelihood(parameters, margin, bad, weights):
    z = parameters[0] * margin + parameters[1]
    return (weights * (np.logaddexp(0, z) - bad * z)).sum()


def test_recalibration_is_the_maximum_of_the_likelihood(predicted, weights):
    pd_, bad = predicted
    margin = log_odds(pd_)
    found = fit_recalibration(margin, bad, weights)
    best = minimize(
        negative_log_likelihood,
        [1, 0],
        args=(margin, bad, weights),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-9},
    )
    assert found.slope == pytest.approx(best.x[0], abs=1e-5)
    assert found.intercept == pytest.approx(best.x[1], abs=1e-5)


def test_recalibration_agrees_with_scikit_learn(predicted):
    pd_, bad = predicted
    margin = log_odds(pd_)
    independent = LogisticRegression(C=np.inf, tol=1e-12).fit(margin[:, None], bad)
    found = fit_recalibration(margin, bad)
    assert found.slope == pytest.approx(independent.coef_[0, 0], abs=1e-6)
    assert found.intercept == pytest.approx(independent.intercept_[0], abs=1e-6)


def test_standard_errors_are_those_of_the_observed_information(predicted):
    pd_, bad = predicted
    margin = log_odds(pd_)
    found = fit_recalibration(margin, bad)
    design = np.column_stack([margin, np.ones(len(margin))])
    fitted = 1 / (1 + np.exp(-(found.intercept + found.slope * margin)))
    information = design.T @ (design * (fitted * (1 - fitted))[:, None])
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    assert [found.slope_error, found.intercept_error] == pytest.approx(errors)


def test_recalibration_undoes_a_distortion(predicted):
    pd_, bad = predicted
    margin = log_odds(pd_)
    once = fit_recalibration(margin, bad)
    again = fit_recalibration(once.intercept + once.slope * margin, bad)
    assert (again.slope, again.intercept) == pytest.approx((1, 0), abs=1e-9)
    # The fixture's margins are 1.3 times too extreme, plus noise.
    assert 0.6 < once.slope < 0.85


def test_a_slope_that_is_noise_is_drawn_to_one(predicted):
    pd_, bad = predicted
    margin = log_odds(pd_)
    fit = fit_recalibration(margin, bad)
    level = fit.intercept + fit.slope * margin
    # Half a standard error away from 1.
    near = level / (1 + 0.5 * fit.slope_error / fit.slope)
    found = shrunk_recalibration(near, bad)
    assert found.slope == 1
    assert found.intercept == pytest.approx(
        calibration_in_the_large(1 / (1 + np.exp(-near)), bad)
    )


def test_a_slope_that_is_far_off_is_corrected_nearly_in_full(predicted):
    pd_, bad = predicted
    margin = 2 * log_odds(pd_)
    fit = fit_recalibration(margin, bad)
    found = shrunk_recalibration(margin, bad)
    z = (fit.slope - 1) / fit.slope_error
    assert found.slope == pytest.approx(1 + (fit.slope - 1) * (1 - 1 / z**2))
    assert 0 < found.slope - fit.slope < 0.01
    mean_pd = (1 / (1 + np.exp(-(found.intercept + found.slope * margin)))).mean()
    assert mean_pd == pytest.approx(bad.mean())


def test_a_slope_of_exactly_one_stays(predicted, monkeypatch):
    module = "credit_scoring.evaluation.calibration.fit_recalibration"
    monkeypatch.setattr(module, lambda margin, bad: Recalibration(1.0, 0, 0.1, 0.1))
    pd_, bad = predicted
    assert shrunk_recalibration(log_odds(pd_), bad).slope == 1


@given(st.floats(-5, 5), st.floats(0.01, 100))
def test_recalibration_follows_a_change_of_scale(shift, scale):
    margin = np.array([-2.0, -1, 0, 1, 2, 3])
    bad = np.array([0.0, 1, 0, 0, 1, 1])
    plain = fit_recalibration(margin, bad)
    moved = fit_recalibration(shift + scale * margin, bad)
    assert moved.slope * scale == pytest.approx(plain.slope, rel=1e-6)
    expected = plain.intercept - moved.slope * shift
    assert moved.intercept == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("margin", "message"),
    [
        ([1.0, 2, 3, 4], "separates goods from bads perfectly"),
        ([4.0, 3, 2, 1], "separates goods from bads perfectly"),
        ([1.0, 2, 2, 4], "separates goods from bads perfectly"),
        ([1.0, 1, 1, 1], "the margin is constant"),
        ([1.0, np.inf, 1, 1], "1 of 4 margins are infinite"),
        ([1.0, np.nan, 1, 1], "1 of 4 margins are NaN"),
    ],
)
def test_a_margin_without_a_finite_slope_is_refused(margin, message):
    with pytest.raises(EvaluationError, match=message):
        fit_recalibration(np.array(margin), np.array([0.0, 0, 1, 1]))


def test_weights_that_leave_one_outcome_are_refused():
    margin, bad = np.array([1.0, 2, 3, 4]), np.array([0.0, 1, 0, 1])
    only_goods = 1 - bad
    with pytest.raises(EvaluationError, match="expected goods and bads"):
        fit_recalibration(margin, bad, only_goods)
    with pytest.raises(EvaluationError, match="no shift of 4 PDs gives the bad rate"):
        calibration_in_the_large(margin / 5, bad, only_goods)
    with pytest.raises(EvaluationError, match="all weights are 0"):
        brier(margin / 5, bad, np.zeros(4))


def test_a_fit_that_does_not_settle_is_refused(predicted, monkeypatch):
    monkeypatch.setattr("credit_scoring.evaluation.calibration._MAX_ITERATIONS", 1)
    with pytest.raises(EvaluationError, match="3000 margins did not converge"):
        fit_recalibration(log_odds(predicted[0]), predicted[1])


def test_each_set_of_weights_is_fitted_as_if_alone(predicted):
    pd_, bad = predicted
    margin = log_odds(pd_)
    sets = np.random.default_rng(14).integers(0, 3, (4, len(bad))).astype(float)
    together = recalibrate(margin, bad, sets)
    for weights, found in zip(sets, together, strict=True):
        alone = fit_recalibration(margin, bad, weights)
        assert found == pytest.approx([alone.slope, alone.intercept], abs=1e-9)


def test_sets_that_cannot_be_fitted_are_undefined_and_harm_no_other():
    margin, bad = np.array([1.0, 2, 3, 4]), np.array([0.0, 1, 0, 1])
    sets = np.array([[1.0, 1, 1, 1], [1.0, 0, 1, 0], [1.0, 1, 0, 0]])
    found = recalibrate(margin, bad, sets)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1:]).all()
    assert np.isnan(recalibrate(margin, bad, sets[1:2])).all()
    assert np.isnan(shift_to_bad_rate(margin, bad, sets)).tolist() == [0, 1, 0]


def test_the_shift_makes_the_mean_pd_the_bad_rate(predicted, weights):
    pd_, bad = predicted
    shift = calibration_in_the_large(pd_, bad, weights)
    shifted = 1 / (1 + np.exp(-(log_odds(pd_) + shift)))
    mean, rate = np.average([shifted, bad], axis=1, weights=weights)
    assert mean == pytest.approx(rate, abs=1e-12)


def test_a_shift_that_does_not_settle_is_refused(monkeypatch):
    monkeypatch.setattr("credit_scoring.evaluation.calibration._MAX_ITERATIONS", 1)
    pd_, bad = np.array([0.9, 0.9, 0.9]), np.array([0.0, 0, 1])
    with pytest.raises(EvaluationError, match="the search did not settle"):
        calibration_in_the_large(pd_, bad)


def test_log_odds_and_log_loss_need_pds_inside_their_range():
    with pytest.raises(EvaluationError, match=r"not in \(0, 1\)"):
        log_odds(np.array([0.5, 1.0]))
    with pytest.raises(EvaluationError, match=r"not in \(0, 1\)"):
        log_loss(np.array([0.5, 0.0]), np.array([1.0, 0.0]))
    assert log_odds(np.array([0.5, 0.8])) == pytest.approx([0, np.log(4)])


def test_the_reliability_table_of_a_hand_worked_case():
    pd_ = np.array([0.1, 0.2, 0.3, 0.4])
    table = reliability_table(pd_, np.array([0.0, 0, 1, 0]), bins=2)
    assert [(line.n, line.mean_pd, line.bad_rate) for line in table] == [
        (2, pytest.approx(0.15), 0),
        (2, pytest.approx(0.35), 0.5),
    ]
    assert all(line.low <= line.bad_rate <= line.high for line in table)


def test_reliability_bins_hold_about_as_many_rows_and_all_of_them(predicted):
    pd_, bad = predicted
    table = reliability_table(pd_, bad, bins=10)
    assert sum(line.n for line in table) == 3000
    assert all(abs(line.n - 300) < 30 for line in table)
    assert sum(line.n * line.bad_rate for line in table) == pytest.approx(bad.sum())
    means = [line.mean_pd for line in table]
    assert means == sorted(means)


def test_equal_pds_share_a_reliability_bin():
    table = reliability_table(np.full(6, 0.3), np.array([0.0, 1, 0, 0, 0, 1]))
    assert [line.n for line in table] == [6]


@given(st.integers(1, 200), st.floats(0, 1), st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_intervals_agree_with_scipy(n, share, level):
    events = round(share * n)
    found = wilson_interval(events, n, level=level)
    expected = binomtest(events, n).proportion_ci(level, method="wilson")
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)
