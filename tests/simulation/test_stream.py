from datetime import timedelta

import numpy as np

from credit_scoring.simulation.stream import BEGIN, Drift, Held, draw_month, moments


def test_before_the_drift_all_are_drawn_alike(held: Held) -> None:
    drift = Drift("limit", month=3, strength=1.0)
    rows = draw_month(held, 2, size=50_000, drift=drift, seed=1)
    assert np.array_equal(rows, draw_month(held, 2, size=50_000, drift=None, seed=1))
    assert not np.array_equal(
        rows, draw_month(held, 2, size=50_000, drift=None, seed=2)
    )
    share = held.bad[rows].mean()
    assert abs(share - held.bad.mean()) < 0.01


def test_the_drift_moves_who_applies_and_not_what_becomes_of_them(held: Held) -> None:
    drift = Drift("limit", month=3, strength=1.0)
    rows = draw_month(held, 3, size=200_000, drift=drift, seed=1)
    low = held.columns["limit"] < np.median(held.columns["limit"])
    # Of weights exp(-u) the lower half has (1 - e^-0.5) / (1 - e^-1).
    expected = (1 - np.exp(-0.5)) / (1 - np.exp(-1))
    assert abs(low[rows].mean() - expected) < 0.01
    for side in (low, ~low):
        drawn = rows[side[rows]]
        assert abs(held.bad[drawn].mean() - held.bad[side].mean()) < 0.01


def test_a_months_applications_are_spread_over_it() -> None:
    found = moments(1, 3)
    assert found[0] == BEGIN + timedelta(days=30)
    assert found[2] - found[1] == timedelta(days=10)
