import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.single_feature import auc_interval, feature_power

BAD = np.array([1.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("values", "auc"),
    [
        ([4, 3, 2, 1], 1.0),
        ([1, 2, 3, 4], 1.0),
        ([1, 1, 1, 1], 0.5),
        ([4, 1, 2, 3], 0.5),
        ([np.nan] * 4, 0.5),
        # Filled in for the bad ones alone.
        ([7, 7, np.nan, np.nan], 1.0),
        # In the middle by value, at an end by being missing.
        ([np.nan, np.nan, 1, 9], 1.0),
    ],
)
def test_power_is_that_of_the_better_direction(values: list[float], auc: float):
    found = feature_power(np.array(values, dtype=float), BAD)
    assert found.auc == auc
    assert found.share_missing == np.isnan(np.array(values, dtype=float)).mean()
    assert found.low <= found.auc <= found.high


@given(st.integers(0, 10_000))
def test_power_is_the_auc_of_scikit_learn(seed: int):
    random = np.random.default_rng(seed)
    values, bad = random.integers(0, 9, 60) * 1.0, (random.random(60) < 0.3) * 1.0
    bad[:2] = 0, 1
    other = roc_auc_score(bad, values)
    assert feature_power(values, bad).auc == pytest.approx(max(other, 1 - other))


def test_the_interval_is_that_of_the_published_formula():
    # An AUC of 0.893 with 51 abnormal and 58 normal cases: a standard error of 0.032.
    low, high = auc_interval(0.893, bads=51, goods=58, level=0.95)
    assert (high - low) / 2 / 1.959964 == pytest.approx(0.032, abs=1e-3)
    low, high = auc_interval(0.99, bads=5, goods=5, level=0.95)
    assert high == 1.0


def test_the_interval_covers_what_it_says():
    random = np.random.default_rng(1)
    true = 0.760  # of two normal distributions one standard deviation apart
    hits = 0
    for _ in range(300):
        bad = np.r_[np.ones(80), np.zeros(240)]
        power = feature_power(random.normal(size=320) + bad, bad)
        hits += power.low <= true <= power.high
    assert hits / 300 > 0.9


def test_one_outcome_has_no_power():
    with pytest.raises(EvaluationError):
        feature_power(np.ones(4), np.zeros(4))
