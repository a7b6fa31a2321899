import numpy as np
import pytest
from scipy import stats

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.shift import (
    Shift,
    chance_of_shift,
    holm,
    judge_shift,
    ks_of_counts,
)
from credit_scoring.evaluation.stability import count_by_bin


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


def test_the_distance_of_two_counts_worked_by_hand() -> None:
    # Distribution functions 0.5, 1 and 0.2, 1.
    found = ks_of_counts(np.array([50, 50]), np.array([20, 80]))
    assert found.value == pytest.approx(0.3)
    assert found.p_value == pytest.approx(stats.kstwobign.sf(0.3 * np.sqrt(50)))


def test_the_distance_of_bins_is_none_too_long() -> None:
    generator = np.random.default_rng(1)
    one, other = generator.normal(size=2000), generator.normal(0.1, 1, 3000)
    edges = np.quantile(one, np.arange(1, 10) / 10)
    counts = [count_by_bin(values, edges)[:-1] for values in (one, other)]
    found = ks_of_counts(*counts)
    exact = stats.ks_2samp(one, other, method="asymp")
    assert exact.statistic - 0.02 < found.value <= exact.statistic
    assert found.p_value >= exact.pvalue * 0.5


def test_counts_without_rows_or_of_other_bins_have_no_distance() -> None:
    for one, other in (([0, 0], [1, 1]), ([1, 1], [1, 1, 1])):
        with pytest.raises(EvaluationError, match="in the same bins"):
            ks_of_counts(np.array(one), np.array(other))


def test_the_chance_alone_is_that_of_the_judgement() -> None:
    expected = np.array([400, 300, 200, 100])
    actual = np.array([30, 30, 25, 15])
    assert chance_of_shift(expected, actual) == judge_shift(expected, actual).p_value
    one = np.array([5, 0])
    assert chance_of_shift(one, one) == 1.0
