"""The least changes to an approval, on an engine that can be worked by hand."""

from typing import Any

import numpy as np
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.decision.recourse import ways_to_approval

from ..serving.conftest import CONTRACT, small_engine


def contract(**moves: Any) -> Contract:
    return Contract.model_validate({**CONTRACT, "recourse": {"columns": moves}})


def down(to: float | str | None = None) -> dict[str, Any]:
    return {"direction": "down", "advice": "Less of it.", "to": to}


def row(amount: float, days_late: float) -> np.ndarray:
    return np.array([amount, days_late])


# score = 520 - 20 / ln 2 * (days / 10 + amount / 1000); approved from 500, so the
# margin may be ln 2 = 0.6931: at 900 and 0 days 206.8 too much.
def test_the_least_change_of_two_digits_that_is_approved_is_found() -> None:
    ways = ways_to_approval(small_engine(), contract(amount=down()), row(900, 0))
    (way,) = ways.single
    (change,) = way.changes
    assert (change.column, change.before, change.after) == ("amount", 900, 690)
    assert way.decision == "approve"
    assert way.score == 500.1
    assert ways.combination is None
    assert ways.best is None


@pytest.mark.parametrize("amount", [5e-324, 2.2e-313, 1e-200, 1e-11])
def test_what_is_next_to_its_limit_is_not_moved(amount: float) -> None:
    ways = ways_to_approval(small_engine(), contract(amount=down()), row(amount, 100))
    assert (ways.single, ways.combination, ways.best) == ((), None, None)


def test_an_integer_is_moved_by_whole_numbers() -> None:
    ways = ways_to_approval(small_engine(), contract(days_late_1=down()), row(100, 8))
    (way,) = ways.single
    assert way.changes[0].after == 5


def test_two_columns_together_are_moved_no_farther_than_needed() -> None:
    # Alone neither suffices: 1.6 of margin must fall below 0.6931.
    moves = contract(amount=down(to=200), days_late_1=down(to=4))
    ways = ways_to_approval(small_engine(), moves, row(800, 8))
    assert ways.single == ()
    assert ways.combination is not None
    after = {c.column: c.after for c in ways.combination.changes}
    # 0.4 of the days leave 0.2931 for the amount.
    assert after == {"amount": 290, "days_late_1": 4}
    assert ways.combination.decision == "approve"


def test_a_move_that_is_not_needed_is_taken_back() -> None:
    moves = contract(amount=down(to=100), days_late_1=down(to=2))
    ways = ways_to_approval(small_engine(), moves, row(900, 7))
    assert ways.combination is not None
    after = {c.column: c.after for c in ways.combination.changes}
    assert after == {"amount": 190, "days_late_1": 5}


def test_what_helps_most_is_said_where_nothing_suffices() -> None:
    ways = ways_to_approval(
        small_engine(), contract(amount=down(to=100)), row(1000, 100)
    )
    assert ways.best is not None
    assert ways.best.decision == "decline"
    assert ways.best.changes[0].after == 100


def test_what_raises_no_score_is_not_offered() -> None:
    up = {"direction": "up", "advice": "More of it."}
    ways = ways_to_approval(small_engine(), contract(amount=up), row(100, 100))
    assert ways == ((), None, None)


@pytest.mark.parametrize(
    "values",
    [row(100, 0), row(np.nan, 100), row(0, 100)],
    ids=["approved", "no", "end"],
)
def test_nothing_is_found_where_nothing_is_to_be_moved(values: np.ndarray) -> None:
    ways = ways_to_approval(small_engine(), contract(amount=down()), values)
    assert ways == ((), None, None)


def test_a_limit_may_be_another_column() -> None:
    moves = contract(amount=down(to="days_late_1"))
    ways = ways_to_approval(small_engine(), moves, row(1000, 6))
    (way,) = ways.single
    assert way.changes[0].after >= 6
    assert ways_to_approval(small_engine(), moves, row(1000, np.nan)).single == ()


def changed_contract(name: str, column: dict[str, Any], **moves: Any) -> Contract:
    columns = {**CONTRACT["columns"], name: column}  # type: ignore[dict-item]
    return Contract.model_validate(
        {**CONTRACT, "columns": columns, "recourse": {"columns": moves}}
    )


def late(**given: Any) -> dict[str, Any]:
    column = dict(CONTRACT["columns"]["days_late_1"])  # type: ignore[index]
    return {k: v for k, v in {**column, **given}.items() if v is not None}


def test_ordered_codes_are_tried_one_after_the_other() -> None:
    codes = late(
        minimum=None, maximum=None, ordered=True,
        categories={0: "never", 5: "some", 9: "much"},
    )  # fmt: skip
    moves = changed_contract("days_late_1", codes, days_late_1=down())
    (way,) = ways_to_approval(small_engine(), moves, row(100, 9)).single
    assert way.changes[0].after == 5


def test_a_column_without_a_range_is_not_moved_without_a_limit() -> None:
    free = late(minimum=None, maximum=None)
    moves = changed_contract("days_late_1", free, days_late_1=down())
    assert ways_to_approval(small_engine(), moves, row(100, 9)).single == ()
    moves = changed_contract("days_late_1", free, days_late_1=down(to=0))
    assert ways_to_approval(small_engine(), moves, row(100, 9)).single


def test_a_value_that_means_missing_is_not_offered() -> None:
    sentinel = late(nullable=True, sentinels=[5])
    moves = changed_contract("days_late_1", sentinel, days_late_1=down())
    (way,) = ways_to_approval(small_engine(), moves, row(100, 8)).single
    assert way.changes[0].after == 4
