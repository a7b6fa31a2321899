"""Arms: pinned for ever, even, and alike wherever they are asked for."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from credit_scoring.decision.routing import Split

# The head of SHA-256("routing" NUL "1") is a6d9d819..., 0xa6d9d819 / 2**32 = 0.6518.
# An applicant who was told a decision must not change arms: never change these.
POINTS = {"1": 0.6518, "2": 0.2098, "3": 0.7409, "4": 0.1918, "L-1": 0.7684}


@pytest.mark.parametrize(("loan_id", "point"), POINTS.items())
def test_an_applicant_keeps_the_same_arm_for_ever(loan_id: str, point: float) -> None:
    assert Split(share=point - 0.0001, salt="routing").arm(loan_id) == "champion"
    assert Split(share=point + 0.0001, salt="routing").arm(loan_id) == "challenger"


def test_a_batch_agrees_with_single_applicants() -> None:
    split = Split(share=0.3, salt="routing")
    assert split.arms(list(POINTS)) == [
        "champion",
        "challenger",
        "champion",
        "challenger",
        "champion",
    ]
    assert split.arms(list(POINTS)) == [split.arm(loan_id) for loan_id in POINTS]
    assert split.arms([]) == []


def test_another_process_agrees() -> None:
    code = (
        "from credit_scoring.decision.routing import Split;"
        "print(Split(share=0.5, salt='s').arms([str(i) for i in range(50)]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    here = Split(share=0.5, salt="s").arms([str(i) for i in range(50)])
    assert other.stdout.strip() == str(here)


def test_the_share_is_met() -> None:
    arms = Split(share=0.1, salt="routing").arms([str(i) for i in range(30_000)])
    # Five standard deviations of a binomial draw: 5 * sqrt(0.1 * 0.9 / 30000).
    assert abs(arms.count("challenger") / 30_000 - 0.1) < 0.0087


@given(st.text(max_size=64), st.floats(0, 1), st.floats(0, 1))
def test_nobody_leaves_the_challenger_when_its_share_grows(
    loan_id: str, one: float, other: float
) -> None:
    small, large = sorted((one, other))
    if Split(share=small, salt="x").arm(loan_id) == "challenger":
        assert Split(share=large, salt="x").arm(loan_id) == "challenger"


@given(st.text(max_size=64))
def test_no_share_is_nobody_and_the_whole_is_everybody(loan_id: str) -> None:
    assert Split(share=0, salt="x").arm(loan_id) == "champion"
    assert Split(share=1, salt="x").arm(loan_id) == "challenger"


@pytest.mark.parametrize(
    "wrong",
    [{"share": 1.1}, {"share": -0.1}, {"share": float("nan")}, {"salt": ""}],
)
def test_a_share_or_salt_that_makes_no_sense_is_refused(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Split.model_validate({"share": 0.1, "salt": "x", **wrong})
