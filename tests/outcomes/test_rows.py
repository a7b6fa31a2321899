from datetime import UTC, datetime
from typing import Any

import pytest

from credit_scoring.decision_log.records import OutcomeEntry
from credit_scoring.outcomes.decisions import outcome_table
from credit_scoring.outcomes.rows import read_outcome

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
RIGHT = {"loan_id": "L-1", "bad": 1, "observed_at": "2026-03-01T10:00:00+02:00"}


def test_a_moment_is_kept_in_utc_and_a_day_is_its_end() -> None:
    moment = read_outcome(RIGHT, NOW)
    assert isinstance(moment, OutcomeEntry)
    assert moment.observed_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    day = read_outcome({**RIGHT, "observed_at": "2026-03-04"}, NOW)
    assert isinstance(day, OutcomeEntry)
    assert day.observed_at == datetime(2026, 3, 4, 23, 59, 59, 999999, UTC)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"loan_id": None}, ["loan_id"]),
        ({"loan_id": "a b"}, ["loan_id"]),
        ({"loan_id": "L-1\n"}, ["loan_id"]),
        ({"loan_id": 7}, ["loan_id"]),
        ({"decision_id": "7"}, ["decision_id"]),
        ({"bad": True}, ["bad"]),
        ({"bad": 2}, ["bad"]),
        ({"bad": "1"}, ["bad"]),
        ({"bad": None, "observed_at": None}, ["bad", "observed_at"]),
        ({"observed_at": "2026-03-01T10:00:00"}, ["observed_at"]),
        ({"observed_at": "yesterday"}, ["observed_at"]),
        ({"secret": 1}, ["secret"]),
    ],
)
def test_every_wrong_field_is_named_without_its_value(
    changes: dict[str, Any], fields: list[str]
) -> None:
    found = read_outcome({**RIGHT, **changes}, NOW)
    assert isinstance(found, list)
    assert [error.field for error in found] == fields
    assert "yesterday" not in str(found)


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "2999-01-01"]
)
def test_a_moment_at_the_ends_of_the_calendar_is_one(moment: str) -> None:
    found = read_outcome({**RIGHT, "bad": 1.0, "observed_at": moment}, NOW)
    assert isinstance(found, OutcomeEntry)
    assert type(found.bad) is int
    table = outcome_table([found])
    assert table["observed_at"].notna().all()


@pytest.mark.parametrize("row", [None, 7, "x", [1]])
def test_what_is_no_object_is_refused(row: Any) -> None:
    (error,) = read_outcome(row, NOW)  # type: ignore[misc]
    assert error.field == "(body)"
