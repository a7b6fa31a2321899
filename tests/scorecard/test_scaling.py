import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from credit_scoring.errors import InvalidProbabilityError
from credit_scoring.scorecard.scaling import (
    ScoreScaling,
    score_from_log_odds,
    score_from_pd,
)

SCALING = ScoreScaling(base_score=600, base_odds=20, pdo=40)


def test_the_base_odds_give_the_base_score():
    assert score_from_pd(np.array([1 / 21]), SCALING) == pytest.approx([600])


def test_even_odds_give_the_offset():
    assert score_from_log_odds(np.zeros(1), SCALING) == pytest.approx([SCALING.offset])
    assert SCALING.offset == pytest.approx(600 - 40 * np.log2(20))


def test_odds_twice_as_good_add_the_pdo():
    scores = score_from_pd(np.array([1 / 21, 1 / 41, 1 / 81]), SCALING)
    assert scores == pytest.approx([600, 640, 680])


@given(st.floats(1e-6, 1 - 1e-6), st.floats(1e-6, 1 - 1e-6))
def test_the_score_falls_as_the_pd_rises(one, other):
    low, high = sorted((one, other))
    scores = score_from_pd(np.array([low, high]), SCALING)
    assert scores[0] >= scores[1]


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, 1.5, np.nan])
def test_a_pd_outside_its_range_is_refused(wrong):
    message = r"1 of 3 PDs are not in \(0, 1\); first at row 1"
    with pytest.raises(InvalidProbabilityError, match=message):
        score_from_pd(np.array([0.5, wrong, 0.5]), SCALING)


@pytest.mark.parametrize("change", [{"pdo": 0}, {"base_odds": -1}, {"points": 1}])
def test_a_scale_that_is_none_is_refused(change):
    with pytest.raises(ValidationError):
        ScoreScaling(**{"base_score": 600, "base_odds": 20, "pdo": 40} | change)
