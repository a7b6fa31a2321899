import numpy as np
import pytest
from pydantic import ValidationError

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.bootstrap import (
    BootstrapParameters,
    percentile_interval,
    resampling_weights,
)


def drawn(rows, **parameters):
    blocks = resampling_weights(rows, BootstrapParameters(**parameters))
    return np.concatenate(list(blocks))


def test_each_resample_draws_as_many_rows_as_there_are():
    found = drawn(50, replicates=20)
    assert found.shape == (20, 50)
    assert np.all(found.sum(axis=1) == 50)


def test_counts_have_the_moments_of_a_multinomial():
    found = drawn(100, replicates=2000)
    assert found.mean(axis=0) == pytest.approx(1, abs=0.12)
    assert found.var() == pytest.approx(0.99, rel=0.02)


def test_the_seed_decides_and_the_block_size_does_not(monkeypatch):
    first = drawn(100, replicates=10)
    assert np.array_equal(first, drawn(100, replicates=10))
    assert not np.array_equal(first, drawn(100, replicates=10, seed=1))
    module = "credit_scoring.evaluation.bootstrap._WEIGHTS_IN_A_BLOCK"
    monkeypatch.setattr(module, 300)
    assert np.array_equal(first, drawn(100, replicates=10))


def test_the_interval_holds_the_middle_of_the_resamples():
    interval = percentile_interval(np.arange(101.0), level=0.9)
    assert (interval.low, interval.high) == pytest.approx((5, 95))


def test_a_few_undefined_resamples_are_left_out_and_many_refused():
    replicates = np.arange(100.0)
    replicates[:5] = np.nan
    assert percentile_interval(replicates, level=0.9).low > 5
    replicates[:6] = np.nan
    with pytest.raises(EvaluationError, match="not defined in 6 of 100 resamples"):
        percentile_interval(replicates, level=0.9)


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says():
    random = np.random.default_rng(3)
    covered = 0
    for seed in range(200):
        values = random.normal(0, 1, 60)
        means = drawn(60, replicates=200, seed=seed) @ values / 60
        interval = percentile_interval(means, level=0.9)
        covered += interval.low <= 0 <= interval.high
    assert 165 <= covered <= 192


@pytest.mark.parametrize("wrong", [{"replicates": 1}, {"level": 1}, {"draws": 5}])
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValidationError):
        BootstrapParameters(**wrong)
