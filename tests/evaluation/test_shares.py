import numpy as np
import pytest
from scipy import stats

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.shares import (
    Count,
    difference_of_shares,
    ratio_of_shares,
)


def test_newcombes_own_example_is_reproduced():
    """Newcombe (1998), table II, example a: 56/70 less 48/80, method 10."""
    found = difference_of_shares(Count(56, 70), Count(48, 80), level=0.95)
    assert found.value == pytest.approx(0.2)
    assert round(found.low or 0, 4) == 0.0524
    assert round(found.high or 0, 4) == 0.3339


def test_newcombes_example_without_events_is_reproduced():
    """Example h of the same table: 10/10 less 0/10; d: 10/10 less 0/20."""
    found = difference_of_shares(Count(10, 10), Count(0, 10), level=0.95)
    assert round(found.low or 0, 4) == 0.6075
    assert found.high == pytest.approx(1.0)


def test_the_ratio_agrees_with_scipys():
    found = ratio_of_shares(Count(15, 52), Count(31, 50), level=0.95)
    expected = stats.contingency.relative_risk(15, 52, 31, 50)
    assert found.value == pytest.approx(expected.relative_risk)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_the_intervals_cover_what_they_say():
    random = np.random.default_rng(8)
    held = np.zeros(2)
    for _ in range(2000):
        one = Count(int(random.binomial(150, 0.45)), 150)
        other = Count(int(random.binomial(400, 0.6)), 400)
        ratio = ratio_of_shares(one, other, level=0.95)
        difference = difference_of_shares(one, other, level=0.95)
        held += [
            ratio.low <= 0.75 <= ratio.high,
            difference.low <= -0.15 <= difference.high,
        ]
    assert (abs(held / 2000 - 0.95) < 0.016).all()


def test_a_group_without_events_has_a_ratio_of_nought_and_an_upper_end():
    found = ratio_of_shares(Count(0, 20), Count(30, 60), level=0.95)
    assert (found.value, found.low) == (0, 0)
    # Half an event: ln 0.05 + 1.96 * sqrt(2 - 1/20 + 1/30 - 1/60)
    assert found.high == pytest.approx(0.05 * np.exp(1.959964 * np.sqrt(1.9666667)))


def test_nothing_to_compare_with_gives_no_ratio():
    with pytest.raises(EvaluationError, match="no event among the 9 trials"):
        ratio_of_shares(Count(3, 9), Count(0, 9), level=0.95)


@pytest.mark.parametrize(("events", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_what_is_no_share_is_refused(events, trials):
    with pytest.raises(EvaluationError, match="expected a share"):
        Count(events, trials)
