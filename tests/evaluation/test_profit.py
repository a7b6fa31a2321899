import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.bootstrap import BootstrapParameters
from credit_scoring.evaluation.profit import (
    CostTable,
    compare_profits,
    measure_profit,
    worths,
)

COSTS = CostTable(gain_from_good=0.1, loss_from_bad=0.5)
BOOTSTRAP = BootstrapParameters(replicates=2000, seed=2)


def test_profit_worked_by_hand():
    """Two of three approved: a good of 200 earns 20, a bad of 100 loses 50."""
    bad, exposure = np.array([0.0, 1, 0]), np.array([200.0, 100, 700])
    worth = worths(bad, exposure, COSTS)
    assert worth == pytest.approx([20, -50, 70])
    approved = np.array([True, True, False])
    found = measure_profit(approved, worth, exposure, bootstrap=BOOTSTRAP)
    assert found.value == pytest.approx(-30 / 1000)
    better = compare_profits(
        np.array([True, False, True]),
        approved,
        worth=worth,
        exposure=exposure,
        bootstrap=BOOTSTRAP,
    )
    assert better.value == pytest.approx((90 + 30) / 1000)


def test_at_the_break_even_pd_nothing_is_expected():
    assert COSTS.break_even_pd == pytest.approx(1 / 6)
    found = worths(np.array([1 / 6, 0.1, 0.3]), np.ones(3), COSTS)
    assert found[0] == pytest.approx(0)
    assert found[1] > 0 > found[2]


@pytest.fixture(scope="module")
def book():
    random = np.random.default_rng(4)
    bad = (random.random(3000) < 0.15).astype(float)
    return bad, np.exp(random.normal(11, 0.8, 3000)), random.random((2, 3000)) < 0.7


def test_the_interval_is_that_of_the_delta_method(book):
    bad, exposure, (approved, _) = book
    worth = worths(bad, exposure, COSTS)
    found = measure_profit(approved, worth, exposure, bootstrap=BOOTSTRAP)
    # A ratio of means: the spread of what is left of each row's part.
    rest = approved * worth - found.value * exposure
    error = rest.std() / exposure.mean() / np.sqrt(len(bad))
    assert found.low == pytest.approx(found.value - 1.96 * error, abs=0.12 * error)
    assert found.high == pytest.approx(found.value + 1.96 * error, abs=0.12 * error)


def test_applicants_treated_alike_add_no_noise_to_a_comparison(book):
    bad, exposure, (approved, _) = book
    worth = worths(bad, exposure, COSTS)
    other = approved.copy()
    other[:30] = ~other[:30]
    given = {"worth": worth, "exposure": exposure, "bootstrap": BOOTSTRAP}
    apart = compare_profits(approved, other, **given)
    alone = measure_profit(approved, worth, exposure, bootstrap=BOOTSTRAP)
    assert apart.high - apart.low < 0.3 * (alone.high - alone.low)
    same = compare_profits(approved, approved, **given)
    assert (same.value, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("exposure", "message"),
    [
        ([1.0, np.nan], "1 of 2 exposures are missing, negative or infinite; .* row 1"),
        ([-1.0, 2.0], "first at row 0"),
        ([0.0, 0.0], "all of 2 exposures are 0"),
        ([1.0], "1 exposures for 2 outcomes"),
    ],
)
def test_exposures_that_cannot_be_used_are_refused(exposure, message):
    with pytest.raises(EvaluationError, match=message):
        worths(np.array([0.0, 1.0]), np.array(exposure), COSTS)
