import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import wilson_interval
from credit_scoring.evaluation.swap_sets import band_table, swap_sets


def test_swap_sets_worked_by_hand():
    approved = np.array([1, 1, 1, 0, 0, 0, 0, 1], bool)
    other = np.array([1, 0, 0, 1, 1, 1, 0, 1], bool)
    bad = np.array([0, 1, 0, 1, 1, 0, 1, 0], float)
    found = swap_sets(approved, other, bad)
    assert [(cell.name, cell.rows, cell.bads) for cell in found.cells] == [
        ("approved_by_both", 2, 0),
        ("newly_approved", 2, 1),
        ("newly_declined", 3, 2),
        ("approved_by_neither", 1, 1),
    ]
    came = found.cells[1]
    assert (came.share, came.bad_rate) == (0.25, 0.5)
    assert (came.low, came.high) == wilson_interval(1, 2, level=0.95)
    assert found.difference.value == pytest.approx(1 / 2 - 2 / 3)
    assert found.difference.low < found.difference.value < found.difference.high
    assert sum(cell.rows for cell in found.cells) == 8


def test_a_policy_swaps_nobody_against_itself():
    approved = np.array([True, False])
    found = swap_sets(approved, approved, np.array([0.0, 1]))
    assert [cell.rows for cell in found.cells] == [1, 0, 0, 1]
    assert found.cells[1].bad_rate is found.cells[1].low is None
    assert found.difference is None


@pytest.mark.parametrize("rows", [0, 3])
def test_decisions_must_fit_the_outcomes(rows):
    with pytest.raises(EvaluationError, match="expected as many of each"):
        swap_sets(np.zeros(0, bool), np.zeros(0, bool), np.zeros(rows))


def test_bands_worked_by_hand():
    lines = band_table(
        np.array([0, 0, 1, 1, 3]),
        np.array([0, 1, 0, 2, 2]),
        pd_=np.array([0.1, 0.2, 0.3, 0.5, 0.9]),
        bad=np.array([0.0, 1, 0, 1, 1]),
        codes=("A", "B", "C", "D"),
    )
    a, b, c, d = lines
    assert (a.approved, a.referred, a.declined, a.bads) == (1, 1, 0, 1)
    assert (b.approved, b.referred, b.declined) == (1, 0, 1)
    assert b.mean_pd == pytest.approx(0.4)
    assert (b.share_from_here, b.bad_rate_from_here) == (0.8, 0.5)
    assert (c.rows, c.bad_rate, c.low, c.mean_pd) == (0, None, None, None)
    assert c.bad_rate_from_here == 0.5
    assert (d.share, d.bad_rate, d.bad_rate_from_here) == (0.2, 1, 0.6)
    empty = band_table(
        np.array([1]),
        np.array([0]),
        pd_=np.array([0.1]),
        bad=np.array([0.0]),
        codes=("A", "B"),
    )
    assert empty[0].bad_rate_from_here is None
