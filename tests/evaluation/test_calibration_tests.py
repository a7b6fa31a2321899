import numpy as np
import pytest
from scipy import optimize, stats

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration_tests import (
    calibration_line,
    hosmer_lemeshow,
    likelihood_ratio,
    spiegelhalter,
)


def drawn(n: int, *, seed: int, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """PDs and outcomes whose true log-odds are the slope times the PDs' ones."""
    random = np.random.default_rng(seed)
    margin = random.normal(-1.3, 1, n)
    bad = random.random(n) < 1 / (1 + np.exp(-slope * margin))
    return 1 / (1 + np.exp(-margin)), bad.astype(float)


def test_spiegelhalter_worked_by_hand():
    """Three of four at 1/4 are good: the Brier score is exactly as expected."""
    pd_ = np.array([0.25, 0.25, 0.25, 0.25])
    assert spiegelhalter(pd_, np.array([0.0, 0, 0, 1])).statistic == 0
    found = spiegelhalter(pd_, np.array([0.0, 0, 1, 1]))
    # (2 * 3/4 - 2 * 1/4) / 2 over sqrt(4 * 1/4 * 3/16)
    assert found.statistic == pytest.approx(0.5 / np.sqrt(0.1875))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(found.statistic))
    assert found.degrees == 0


def test_spiegelhalter_is_the_brier_score_in_standard_errors():
    pd_, bad = drawn(500, seed=1)
    scores = ((pd_ - bad) ** 2).mean()
    random = np.random.default_rng(2)
    again = random.random((4000, 500)) < pd_
    simulated = ((pd_ - again) ** 2).mean(axis=1)
    expected = (scores - simulated.mean()) / simulated.std()
    assert spiegelhalter(pd_, bad).statistic == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("test", [spiegelhalter, likelihood_ratio, hosmer_lemeshow])
def test_right_pds_are_rejected_as_often_as_chance_would(test):
    p_values = [test(*drawn(600, seed=seed)).p_value for seed in range(300)]
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.09
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


@pytest.mark.parametrize("test", [spiegelhalter, likelihood_ratio, hosmer_lemeshow])
def test_pds_that_are_too_extreme_are_found_out(test):
    assert test(*drawn(5000, seed=3, slope=0.7)).p_value < 1e-6


def test_a_test_rejects_what_hardly_matters_if_there_are_rows_enough():
    """Why the interval decides: a slope of 1.03 is no fault that anyone would see."""
    pd_, bad = drawn(400_000, seed=4, slope=1.03)
    assert likelihood_ratio(pd_, bad).p_value < 1e-4
    line = calibration_line(pd_, bad, level=0.95)
    assert 1 < line.slope_low < line.slope_high < 1.05


def test_the_likelihood_ratio_is_that_of_an_independent_fit():
    pd_, bad = drawn(400, seed=5, slope=0.8)
    margin = np.log(pd_ / (1 - pd_))

    def loss(line: np.ndarray) -> float:
        z = line[0] + line[1] * margin
        return float((np.logaddexp(0, z) - bad * z).sum())

    best = optimize.minimize(loss, [0.0, 1.0], method="BFGS")
    found = likelihood_ratio(pd_, bad)
    assert found.degrees == 2
    assert found.statistic == pytest.approx(2 * (loss([0, 1]) - best.fun), rel=1e-6)
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 2))
    line = calibration_line(pd_, bad, level=0.95)
    assert [line.intercept, line.slope] == pytest.approx(best.x, abs=1e-4)
    half = 1.959964 * np.sqrt(np.diag(best.hess_inv))
    assert line.slope_high - line.slope == pytest.approx(half[1], rel=0.05)
    assert line.intercept - line.intercept_low == pytest.approx(half[0], rel=0.05)
    shift = optimize.minimize(lambda at: loss(np.array([at[0], 1.0])), [0.0])
    assert line.in_the_large == pytest.approx(shift.x[0], abs=1e-4)
    alone = 1.959964 * np.sqrt(shift.hess_inv[0, 0])
    assert line.in_the_large_high - line.in_the_large == pytest.approx(alone, rel=0.05)
    assert line.in_the_large - line.in_the_large_low == pytest.approx(alone, rel=0.05)


def test_hosmer_lemeshow_worked_by_hand():
    """Two bins of four: 1 bad expected and 2 seen, 3 expected and 3 seen."""
    pd_ = np.repeat([0.25, 0.75], 4)
    bad = np.array([0.0, 0, 1, 1, 1, 1, 1, 0])
    found = hosmer_lemeshow(pd_, bad, bins=2)
    assert found.statistic == pytest.approx(1 / 0.75)
    assert found.degrees == 2
    assert found.p_value == pytest.approx(stats.chi2.sf(1 / 0.75, 2))


def test_hosmer_lemeshow_depends_on_its_bins():
    p_values = [
        hosmer_lemeshow(*drawn(800, seed=9), bins=bins).p_value for bins in range(5, 21)
    ]
    assert max(p_values) - min(p_values) > 0.3


def test_pds_of_one_half_cannot_be_tested():
    pd_ = np.full(4, 0.5)
    with pytest.raises(EvaluationError, match="each of 4 PDs is one half"):
        spiegelhalter(pd_, np.array([0.0, 1, 0, 1]))


@pytest.mark.parametrize("test", [spiegelhalter, likelihood_ratio, hosmer_lemeshow])
def test_a_pd_of_one_is_refused(test):
    with pytest.raises(EvaluationError, match=r"1 of 2 PDs are not in \(0, 1\)"):
        test(np.array([0.5, 1.0]), np.array([0.0, 1.0]))
