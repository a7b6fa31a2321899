import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.sample import (
    check_pds,
    check_sample,
    check_values,
    unit_weights,
)

BAD = np.array([0.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("values", "bad", "message"),
    [
        ([0.1, np.nan, np.nan], BAD, r"2 of 3 PDs are NaN; first at row 1"),
        ([0.1, 0.2], BAD, "2 PDs for 3 outcomes; expected as many"),
        ([0.1, 0.2, 0.3], [0.0, 1, 2], "1 of 3 outcomes are neither 0 nor 1; first at"),
        ([0.1, 0.2, 0.3], [0.0, 1, np.nan], "1 of 3 outcomes are neither"),
        ([0.1, 0.2], [0.0, 0], "2 outcomes with 0 bads; expected goods and bads"),
        ([0.1, 0.2], [1.0, 1], "2 outcomes with 2 bads"),
        ([], [], "0 outcomes with 0 bads"),
    ],
)
def test_data_without_a_meaning_are_refused(values, bad, message):
    with pytest.raises(EvaluationError, match=message):
        check_sample(np.array(values, float), np.array(bad, float), what="PDs")


def test_a_matrix_is_refused():
    with pytest.raises(EvaluationError, match=r"scores of shape \(2, 2\)"):
        check_values(np.zeros((2, 2)), what="scores")


@pytest.mark.parametrize("pd_", [0.0, 1.0, -0.1, 1.1])
def test_a_pd_outside_its_range_is_refused(pd_):
    with pytest.raises(EvaluationError, match=r"1 of 2 PDs are not in \(0, 1\)"):
        check_pds(np.array([0.5, pd_]))


@pytest.mark.parametrize("weight", [-1, np.nan, np.inf])
def test_an_impossible_weight_is_refused(weight):
    with pytest.raises(EvaluationError, match="negative, NaN or infinite"):
        unit_weights(np.array([1, weight]), 2)


def test_weights_are_one_each_by_default_and_never_of_another_length():
    assert unit_weights(None, 3).tolist() == [[1, 1, 1]]
    with pytest.raises(EvaluationError, match="2 weights for 3 rows"):
        unit_weights(np.ones(2), 3)
