import numpy as np
import pytest
from scipy.stats import binomtest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.bands import rate_bands


def sample(n, seed, rate):
    generator = np.random.default_rng(seed)
    margin = generator.normal(-1.5, 1.2, n)
    return margin, (generator.random(n) < rate(margin)).astype(float)


def straight(margin):
    return 1 / (1 + np.exp(-margin))


def curved(margin):
    """A rate that no line of log-odds gives, flat at both ends."""
    return 0.05 + 0.6 / (1 + np.exp(-4 * (margin + 1)))


@pytest.mark.parametrize("rate", [straight, curved])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_band_holds_the_true_rate_as_often_as_it_says(rate, level):
    points = np.linspace(-4.5, 1.5, 13)
    held = np.zeros(points.size)
    samples = 400
    for seed in range(samples):
        margin, bad = sample(1500, seed, rate)
        bands = rate_bands(margin, bad, level=level, window_rows=150, steps=100)
        low, high = bands.at(points)
        held += (low <= rate(points)) & (rate(points) <= high)
    # Three standard errors of a share of 400 below the level.
    least = level - 3 * (level * (1 - level) / samples) ** 0.5
    assert (held / samples >= least).all()


def test_a_band_of_a_flat_rate_is_no_wider_than_its_windows_ask_for():
    margin, bad = sample(20_000, 1, lambda m: np.full(m.shape, 0.2))
    bands = rate_bands(margin, bad, level=0.95, window_rows=1000, steps=20)
    low, high = bands.at(np.array([-1.5]))
    assert 0.04 < high[0] - low[0] < 0.09


def test_ends_are_the_exact_binomial_limits_of_the_windows():
    margin = np.arange(10.0)
    bad = np.array([0, 0, 0, 1, 0, 1, 1, 1, 1, 1.0])
    bands = rate_bands(margin, bad, level=0.9, window_rows=4, steps=10)
    assert bands.margins.tolist() == margin.tolist()
    below = binomtest(3, 4).proportion_ci(0.9, method="exact")  # margins 4 to 7
    above = binomtest(3, 4).proportion_ci(0.9, method="exact")  # margins 4 to 7
    low, high = bands.at(np.array([7.5, 3.5]))
    assert low[0] == pytest.approx(below.low)
    assert high[1] == pytest.approx(above.high)


def test_nothing_is_claimed_beyond_the_rows():
    margin, bad = sample(500, 3, straight)
    bands = rate_bands(margin, bad, level=0.9, window_rows=50, steps=40)
    low, high = bands.at(np.array([margin.min() - 1, margin.max() + 1]))
    assert (low[0], high[1]) == (0.0, 1.0)


def test_the_band_never_falls_as_the_margin_rises():
    margin, bad = sample(800, 5, lambda m: np.full(m.shape, 0.3))
    bands = rate_bands(margin, bad, level=0.5, window_rows=20, steps=200)
    assert (np.diff(bands.low) >= 0).all()
    assert (np.diff(bands.high) >= 0).all()
    assert (bands.low <= bands.high).all()


def test_equal_margins_share_a_step():
    margin, bad = np.array([1.0, 1.0, 2.0, 2.0]), np.array([0, 1, 0, 1.0])
    bands = rate_bands(margin, bad, level=0.9, window_rows=10, steps=10)
    assert bands.margins.tolist() == [1.0, 2.0]


def test_outcomes_that_are_all_the_same_are_refused():
    with pytest.raises(EvaluationError, match="expected goods and bads"):
        rate_bands(np.arange(3.0), np.zeros(3), level=0.9, window_rows=2, steps=2)
