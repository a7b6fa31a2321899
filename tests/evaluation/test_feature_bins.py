import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.feature_bins import quantile_edges, rates_by_bin, short

VALUES = np.array([0.0, 1, 1, 2, 5, np.nan])
BAD = np.array([0.0, 0, 1, 1, 1, 0])
PD = np.array([0.1, 0.2, 0.4, 0.6, 0.8, 0.3])


def test_each_bin_has_its_rows_bad_rate_and_mean_pd():
    found = rates_by_bin(VALUES, BAD, PD, edges=np.array([1.0, 2.0]))
    assert [(b.values, b.n, b.bad_rate) for b in found] == [
        ("< 1", 1, 0),
        ("1 to 2", 2, 0.5),
        ("≥ 2", 2, 1),
        ("missing", 1, 0),
    ]
    assert [b.mean_pd for b in found] == pytest.approx([0.1, 0.3, 0.7, 0.3])
    assert all(b.low <= b.bad_rate <= b.high and b.woe is None for b in found)


def test_weights_of_evidence_stay_with_their_bins():
    woes = np.array([0.5, 0.0, -1.0, 0.25])
    found = rates_by_bin(VALUES, BAD, PD, edges=np.array([1.0, 2.0]), woes=woes)
    assert [b.woe for b in found] == woes.tolist()


def test_empty_bins_are_left_out_and_one_bin_holds_all():
    found = rates_by_bin(VALUES[:5], BAD[:5], PD[:5], edges=np.array([-1.0, 2.0]))
    assert [b.values for b in found] == ["-1 to 2", "≥ 2"]
    found = rates_by_bin(VALUES[:5], BAD[:5], PD[:5], edges=np.empty(0))
    assert [b.values for b in found] == ["all"]


def test_quantile_edges_hold_about_as_many_rows_and_never_leave_a_bin_empty():
    edges = quantile_edges(np.arange(100.0), bins=4)
    assert np.histogram(np.arange(100.0), [-np.inf, *edges, np.inf])[0].tolist() == [
        24,
        25,
        25,
        26,
    ]
    assert quantile_edges(np.array([0.0] * 9 + [1.0]), bins=4).tolist() == []
    assert quantile_edges(np.array([0.0] * 2 + [1.0] * 8), bins=4).tolist() == [1]
    assert quantile_edges(np.full(3, np.nan), bins=4).tolist() == []


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(EvaluationError, match="6 values, 5 outcomes and 6 PDs"):
        rates_by_bin(VALUES, BAD[:5], PD, edges=np.array([1.0]))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (1250, "1.25k"), (-42_000, "-42k"), (3.2e6, "3.2M"), (0, "0")],
)
def test_numbers_are_written_short(value, text):
    assert short(value) == text
