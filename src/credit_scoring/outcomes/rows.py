"""Reported outcomes: what a row must say, and what is wrong with one that does not."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from credit_scoring.decision_log.records import OutcomeEntry
from credit_scoring.errors import FieldError

FIELDS = ("loan_id", "decision_id", "bad", "observed_at")
LOAN_ID = r"^[A-Za-z0-9._-]{1,64}$"
DECISION_ID = r"^[0-9a-f]{32}$"

_DAY_LENGTH = len("2026-03-04")
_UNKNOWN_SHOWN = 8


def read_outcome(row: Any, received_at: datetime) -> OutcomeEntry | list[FieldError]:
    """Read a reported outcome.

    Args:
        row: As parsed from JSON or a file.
        received_at: Time of the report.

    Returns:
        The outcome, or everything that is wrong with it, without a value of it.
    """
    if not isinstance(row, Mapping):
        return [FieldError("(body)", "expected an object")]
    errors = [
        FieldError(str(name)[:64], "unknown field; expected " + ", ".join(FIELDS))
        for name in [n for n in row if n not in FIELDS][:_UNKNOWN_SHOWN]
    ]
    loan_id = _identifier(row, "loan_id", LOAN_ID, errors)
    decision_id = _identifier(row, "decision_id", DECISION_ID, errors)
    if row.get("loan_id") is None and row.get("decision_id") is None:
        errors.append(FieldError("loan_id", "expected it or decision_id"))
    bad = row.get("bad")
    # In JSON 1.0 is the number 1, and true is none.
    if isinstance(bad, bool) or not isinstance(bad, int | float) or bad not in {0, 1}:
        errors.append(FieldError("bad", "expected 0 or 1"))
    observed_at = _moment(row.get("observed_at"))
    if observed_at is None:
        message = "expected a date, or a time with its zone, in ISO 8601"
        errors.append(FieldError("observed_at", message))
    if errors or observed_at is None or bad is None:
        return errors
    return OutcomeEntry(received_at, observed_at, int(bad), loan_id, decision_id)


def _identifier(
    row: Mapping[str, Any], name: str, pattern: str, errors: list[FieldError]
) -> str | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        errors.append(FieldError(name, f"expected a string of the form {pattern}"))
        return None
    return value


def _moment(value: Any) -> datetime | None:
    """Read a moment; a day is its end, as what is seen in its course is known then."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == _DAY_LENGTH:
            return datetime.combine(date.fromisoformat(value), time.max, UTC)
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # In the first or last hours of the calendar, where no loan is.
        return moment.replace(tzinfo=UTC)
