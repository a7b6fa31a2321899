import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.stability import (
    count_by_bin,
    distribution_edges,
    psi,
    psi_of_counts,
    resampled_psi,
)

SAMPLES = st.lists(
    st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=50
).filter(lambda values: not np.isnan(values).all())


def test_hand_worked_psi():
    found = psi_of_counts(np.array([50, 50]), np.array([30, 70]))
    assert found == pytest.approx(-0.2 * np.log(0.6) + 0.2 * np.log(1.4))


@given(SAMPLES)
def test_psi_of_a_sample_with_itself_is_zero(values):
    assert psi(np.array(values), np.array(values)) == 0


@given(SAMPLES, SAMPLES)
def test_psi_is_finite_and_never_negative(expected, actual):
    found = psi(np.array(expected), np.array(actual))
    assert np.isfinite(found)
    assert found >= -1e-12


@given(st.lists(st.integers(1, 50), min_size=2, max_size=8), st.integers(2, 9))
def test_psi_depends_on_shares_alone(counts, times):
    expected = np.array(counts)
    assert psi_of_counts(expected, times * expected) == pytest.approx(0, abs=1e-12)


def test_an_empty_bin_counts_half_a_row():
    found = psi_of_counts(np.array([10, 0]), np.array([5, 5]))
    expected = (0.5 - 1) * np.log(0.5) + (0.5 - 0.05) * np.log(0.5 / 0.05)
    assert found == pytest.approx(expected)


def test_a_bin_that_is_empty_on_both_sides_is_left_out():
    found = psi_of_counts(np.array([5, 5, 0]), np.array([4, 6, 0]))
    assert found == psi_of_counts(np.array([5, 5]), np.array([4, 6]))


def test_a_value_on_an_edge_belongs_below_it_and_a_missing_one_last():
    values = np.array([0.0, 1, 1.5, 2, 9, np.nan])
    assert count_by_bin(values, np.array([1.0, 2.0])).tolist() == [2, 2, 1, 1]


def test_edges_cut_the_expected_values_evenly():
    edges = distribution_edges(np.arange(100.0), bins=4)
    assert count_by_bin(np.arange(100.0), edges).tolist() == [25, 25, 25, 25, 0]


def test_repeated_values_give_fewer_bins_and_a_constant_one():
    assert distribution_edges(np.array([0.0] * 9 + [1.0])).tolist() == [0]
    assert distribution_edges(np.zeros(9)).tolist() == []
    assert psi(np.array([0.0] * 9 + [1.0]), np.zeros(5)) > 0


def test_missing_values_that_become_frequent_raise_the_psi():
    expected = np.arange(100.0)
    actual = np.where(np.arange(100) % 2 == 0, np.nan, expected)
    assert psi(expected, actual) > 0.25


@pytest.mark.parametrize(
    ("expected", "actual", "message"),
    [
        ([1, 2], [1, 2, 3], "2 expected bins and 3 actual ones"),
        ([0, 0], [1, 2], "0 expected and 3 actual rows"),
        ([1, 1], [0, 0], "2 expected and 0 actual rows"),
    ],
)
def test_counts_that_cannot_be_compared_are_refused(expected, actual, message):
    with pytest.raises(EvaluationError, match=message):
        psi_of_counts(np.array(expected), np.array(actual))


def test_a_reference_without_a_known_value_is_refused():
    with pytest.raises(EvaluationError, match="none of 3 expected values is known"):
        psi(np.full(3, np.nan), np.zeros(3))


def test_resampled_psi_is_about_what_sampling_noise_alone_makes():
    counts = np.full(10, 300)
    found = resampled_psi(counts, counts, replicates=400, seed=1)
    # PSI of equal distributions: (bins - 1) * (1/n + 1/m) on average (Yurdakul).
    assert found.mean() == pytest.approx(9 * 2 / 3000, rel=0.1)
    again = resampled_psi(counts, counts, replicates=400, seed=1)
    assert found.tobytes() == again.tobytes()
