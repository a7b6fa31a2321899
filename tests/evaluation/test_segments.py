import numpy as np
import pytest

from credit_scoring.evaluation.segments import (
    Outcomes,
    measure_segments,
    quantile_parts,
)

FOUND = Outcomes(
    pd_=np.array([0.1, 0.2, 0.3, 0.4]),
    approved=np.array([True, True, False, False]),
    bad=np.array([0.0, 0, 1, 0]),
)


def test_a_segment_is_measured_by_its_own_rows():
    members = {
        "low": np.array([1, 1, 0, 0], bool),
        "high": np.array([0, 0, 1, 1], bool),
    }
    low, high = measure_segments("size", members, FOUND)
    assert (low.attribute, low.segment, low.rows, low.bads) == ("size", "low", 2, 0)
    assert (low.approval_rate, high.approval_rate) == (1.0, 0.0)
    assert high.mean_pd == pytest.approx(0.35)
    assert high.bad_rate == 0.5
    assert high.low < 0.5 < high.high
    assert (low.auc, high.auc) == (None, 0.0)


def test_a_part_without_rows_is_left_out():
    assert measure_segments("size", {"none": np.zeros(4, bool)}, FOUND) == []


def test_parts_are_about_equal_and_named_by_their_values():
    values = np.array([1.0, 2, 3, 4, 5000, 6000.4, 7000, np.nan])
    parts = quantile_parts(values, parts=2)
    assert list(parts) == ["1 to 4", "5,000 to 7,000", "missing"]
    assert np.sum(list(parts.values()), axis=0).tolist() == [1] * 8


def test_equal_values_stay_together():
    assert list(quantile_parts(np.zeros(9), parts=4)) == ["0 to 0"]
    assert list(quantile_parts(np.full(2, np.nan), parts=4)) == ["missing"]
