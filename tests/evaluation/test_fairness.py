import numpy as np
import pytest
from pydantic import ValidationError

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.fairness import (
    Decided,
    Group,
    choose_reference,
    compare_groups,
    standardised_difference,
)

NAN = float("nan")


def flags(*places: int, n: int = 8) -> np.ndarray:
    return np.isin(np.arange(n), places)


@pytest.fixture
def decided() -> Decided:
    """Rows 0 to 3 are one group: 3 approved; 4 to 7 the other: 2 approved."""
    return Decided(
        approved=flags(0, 1, 2, 4, 5),
        score=np.array([4.0, 3, 2, 1, 3, 2, 1, 0]),
        bad=flags(2, 3, 7).astype(float),
    )


def test_groups_worked_by_hand(decided):
    members = {"a": flags(0, 1, 2, 3), "b": flags(4, 5, 6, 7)}
    a, b = compare_groups(members, decided, reference="a", level=0.95)
    assert (a.reference, b.reference) == (True, False)
    assert (b.rows, b.goods, b.approved) == (4, 3, 2)
    assert (b.approval_rate, b.bad_rate, b.mean_score) == (0.5, 0.25, 1.5)
    assert b.impact_ratio.value == pytest.approx((2 / 4) / (3 / 4))
    # ln(2/3) -+ 1.96 * sqrt(1/2 - 1/4 + 1/3 - 1/4)
    half = 1.959964 * np.sqrt(1 / 3)
    assert b.impact_ratio.low == pytest.approx(2 / 3 * np.exp(-half))
    assert b.impact_ratio.high == pytest.approx(2 / 3 * np.exp(half))
    # Of three goods two are approved, of the other group's two both.
    assert b.opportunity_difference.value == pytest.approx(2 / 3 - 1)
    # Means 1.5 and 2.5, each with squares of 5 in all: over sqrt(10 / 6).
    assert b.score_difference.value == pytest.approx(
        (1 - 3 / 23) * -1 / np.sqrt(10 / 6)
    )
    assert a.impact_ratio.value == 1
    assert a.score_difference.value == 0
    assert a.opportunity_difference.value == 0


def test_what_cannot_be_said_of_a_group_is_left_open(decided):
    members = {"a": flags(0, 1), "none": flags(), "bads": flags(3)}
    _, empty, bads = compare_groups(members, decided, reference="a", level=0.95)
    assert (empty.rows, empty.approval_rate, empty.mean_score) == (0, None, None)
    assert empty.impact_ratio is empty.score_difference is None
    assert empty.opportunity_difference is None
    assert bads.impact_ratio.value == 0
    assert bads.opportunity_difference is None
    assert bads.score_difference is None


def test_the_most_often_approved_group_is_compared_with(decided):
    members = {"a": flags(0, 1, 2, 3), "b": flags(4, 5, 6), "c": flags(7)}
    assert choose_reference(members, decided.approved, least_share=0.1) == "a"
    few = {"few": flags(0), "b": flags(4, 5, 6, 7, 1, 2, 3)}
    assert choose_reference(few, decided.approved, least_share=0.2) == "b"
    assert choose_reference(few, decided.approved, least_share=0.1) == "few"
    with pytest.raises(EvaluationError, match=r"none of 1 groups has 50.0% of the 0"):
        choose_reference({"a": flags()}, decided.approved, least_share=0.5)


def test_the_standardised_difference_and_its_interval():
    """The bias goes, and the interval covers what it says."""
    random = np.random.default_rng(3)
    found, held = [], 0
    for _ in range(3000):
        one, other = random.normal(-0.6, 1, 8), random.normal(0, 1, 12)
        measure = standardised_difference(one, other, level=0.95)
        found.append(measure.value)
        held += measure.low <= -0.6 <= measure.high
    assert np.mean(found) == pytest.approx(-0.6, abs=0.03)
    assert 0.93 < held / 3000 < 0.975


def test_scores_without_spread_have_no_standardised_difference():
    with pytest.raises(EvaluationError, match="1 and 3 scores; a spread needs two"):
        standardised_difference(np.ones(1), np.ones(3), level=0.95)
    with pytest.raises(EvaluationError, match="no spread among 2 and 3 scores"):
        standardised_difference(np.ones(2), np.zeros(3), level=0.95)


def test_a_group_is_made_of_codes_or_of_a_range():
    column = np.array([1.0, 2, 3, 61.9, 62, NAN])
    assert Group(values=(1, 3)).members(column).tolist() == [1, 0, 1, 0, 0, 0]
    assert Group(at_least=62).members(column).tolist() == [0, 0, 0, 0, 1, 0]
    assert Group(below=62).members(column).tolist() == [1, 1, 1, 1, 0, 0]
    assert Group(at_least=2, below=3).members(column).sum() == 1


@pytest.mark.parametrize("wrong", [{}, {"values": (1,), "below": 2}])
def test_a_group_of_both_or_neither_is_refused(wrong):
    with pytest.raises(ValidationError, match="either values, or at_least and below"):
        Group(**wrong)
