import numpy as np
import pytest
from scipy import stats

from credit_scoring.evaluation.shift import Shift, holm, judge_shift


def two_samples(random, shares, sizes=(4000, 1500)):
    return [
        random.multinomial(size, part) for size, part in zip(sizes, shares, strict=True)
    ]


def test_without_a_shift_p_values_are_uniform():
    random = np.random.default_rng(41)
    shares = np.array([0.4, 0.2, 0.2, 0.1, 0.1])
    p_values = [
        judge_shift(*two_samples(random, (shares, shares))).p_value for _ in range(400)
    ]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


@pytest.mark.parametrize("moved", [0.0, 0.03, 0.08])
def test_the_interval_holds_the_populations_own_index(moved):
    random = np.random.default_rng(42)
    before = np.array([0.4, 0.2, 0.2, 0.1, 0.1])
    after = before + moved * np.array([-1, 0, 0, 0, 1])
    true = ((after - before) * np.log(after / before)).sum()
    held = 0
    for _ in range(400):
        found = judge_shift(*two_samples(random, (before, after)), level=0.9)
        held += found.low <= true <= found.high
    # Of no shift at all only the upper end can fall short.
    assert 0.86 < held / 400 < (0.98 if moved == 0 else 0.94)


def test_the_same_index_means_less_among_fewer_rows():
    few, many = np.array([50, 30, 20]), np.array([40, 30, 30])
    small, large = judge_shift(few, many), judge_shift(100 * few, 100 * many)
    assert small.psi == pytest.approx(large.psi)
    assert small.p_value > 0.2
    assert large.p_value < 1e-10
    assert small.low == 0
    assert small.high > large.high > large.psi > large.low > 0
    expected = stats.chi2.sf(small.psi / (1 / 100 + 1 / 100), 2)
    assert small.p_value == pytest.approx(expected)


def test_one_bin_cannot_shift():
    assert judge_shift(np.array([5, 0]), np.array([9, 0])) == Shift(0, 0, 0, 1, 0)


def test_holm_worked_by_hand():
    found = holm(np.array([0.04, 0.01, 0.03, 0.9]))
    assert found == pytest.approx([0.09, 0.04, 0.09, 0.9])
    assert holm(np.array([0.6, 0.7])).tolist() == [1, 1]
    assert not holm(np.array([])).size
