import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.registry.reference import distribution, reference_distributions


def test_ten_equal_shares_of_distinct_values() -> None:
    described = distribution(np.arange(100.0))
    assert described["shares"] == [0.1] * 10
    assert described["edges"] == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_few_values_have_a_bin_each() -> None:
    described = distribution(np.array([0.0] * 7 + [1.0] * 3))
    assert described == {"edges": [1.0], "shares": [0.7, 0.3], "missing": 0.0}


def test_a_constant_is_one_bin() -> None:
    assert distribution(np.ones(5)) == {"edges": [], "shares": [1.0], "missing": 0.0}


def test_missing_values_have_their_own_share() -> None:
    described = distribution(np.array([np.nan, 1.0, np.nan, 2.0]))
    assert described["missing"] == 0.5
    all_missing = distribution(np.full(3, np.nan))
    assert all_missing == {"edges": [], "shares": [0.0], "missing": 1.0}


@given(st.lists(st.floats(-10, 10) | st.just(float("nan")), min_size=1))
def test_shares_sum_to_one_and_none_is_empty(values: list[float]) -> None:
    described = distribution(np.array(values))
    shares, missing = described["shares"], described["missing"]
    assert isinstance(shares, list)
    assert isinstance(missing, float)
    assert sum(shares) + missing == pytest.approx(1)
    assert missing == 1.0 or min(shares) > 0


def test_score_and_features_are_described_by_name() -> None:
    described = reference_distributions(np.zeros(4), np.ones((4, 2)), ("a", "b"))
    assert described["rows"] == 4
    assert set(described["features"]) == {"a", "b"}  # type: ignore[call-overload]
