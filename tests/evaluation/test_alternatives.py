import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.alternatives import (
    impact_ratio_gain,
    least_impact_ratio,
    proxy_strengths,
    undominated,
)
from credit_scoring.evaluation.bootstrap import BootstrapParameters


def groups(*sizes):
    place = np.repeat(np.arange(len(sizes)), sizes)
    return {f"g{k}": place == k for k in range(len(sizes))}


def test_the_ratio_is_the_lowest_rate_over_the_highest():
    approved = np.array([1, 1, 0, 0, 1, 0, 0, 0, 1, 1], bool)
    members = groups(4, 4, 2)  # rates 2/4, 1/4, 2/2
    assert least_impact_ratio(members, approved).tolist() == [0.25]


def test_weights_count_applicants_as_often_as_they_say():
    approved = np.array([True, False, True, False])
    weights = np.array([[1.0, 1, 1, 1], [1, 3, 1, 1]])
    found = least_impact_ratio(groups(2, 2), approved, weights)
    assert found.tolist() == [1.0, 0.5]


def test_where_nobody_is_approved_there_is_no_ratio():
    assert np.isnan(least_impact_ratio(groups(2, 2), np.zeros(4, bool)))[0]


def test_a_gain_is_measured_on_the_same_resamples():
    members = groups(300, 300)
    random = np.random.default_rng(2)
    before = np.concatenate([random.random(300) < 0.6, random.random(300) < 0.3])
    after = before.copy()
    after[300:] |= random.random(300) < 0.4
    bootstrap = BootstrapParameters(replicates=200, seed=1)
    gain = impact_ratio_gain(members, after, before, bootstrap=bootstrap)
    expected = least_impact_ratio(members, after) - least_impact_ratio(members, before)
    assert gain.value == pytest.approx(expected[0])
    assert 0 < gain.low < gain.value < gain.high
    none = impact_ratio_gain(members, before, before, bootstrap=bootstrap)
    assert (none.value, none.low, none.high) == (0, 0, 0)


def test_a_proxy_is_what_tells_groups_apart_among_equal_scores():
    random = np.random.default_rng(5)
    group = random.random(4000) < 0.4
    score = random.normal(500, 50, 4000) - 30 * group
    gives_away = group + random.normal(0, 0.01, 4000)
    x = np.column_stack([gives_away, -gives_away, score, random.normal(size=4000)])
    members = {"yes": group, "no": ~group}
    found = proxy_strengths(x, members, score, bins=20)
    assert found[:2] == pytest.approx([1, 1], abs=1e-3)
    # The score itself differs by group, but not among equal scores.
    assert found[2] < 0.2
    assert found[3] < 0.1


def test_a_missing_value_can_give_a_group_away():
    group = np.arange(100) < 30
    x = np.where(group, np.nan, 1.0)[:, None]
    found = proxy_strengths(x, {"yes": group}, np.zeros(100), bins=1)
    assert found.tolist() == [1.0]


def test_what_nothing_beats_is_on_the_frontier():
    points = np.array([[1, 5], [2, 4], [2, 4], [1, 4], [3, 1], [2, 3], [np.nan, 9]])
    expected = [True, True, True, False, True, False, False]
    assert undominated(points).tolist() == expected


def test_no_points_have_no_frontier():
    with pytest.raises(EvaluationError, match="no points"):
        undominated(np.empty((0, 2)))


def test_a_group_that_nobody_or_everybody_is_in_says_nothing():
    x = np.arange(8.0)[:, None]
    score = np.repeat([400.0, 500.0], 4)
    everybody = {"all": np.ones(8, bool)}
    assert proxy_strengths(x, everybody, score, bins=2).tolist() == [0.0]
    # Where only one bin of the score has both, it alone counts.
    some = {"some": np.array([0, 0, 1, 1, 0, 0, 0, 0], bool)}
    assert proxy_strengths(x, some, score, bins=2).tolist() == [1.0]
