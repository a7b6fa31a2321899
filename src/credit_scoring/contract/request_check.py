"""The careful reading of a request: every wrong field, or its values."""

import difflib
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Never

from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.contract.request_type import request_columns
from credit_scoring.contract.rules import (
    MISSING,
    NOT_A_DATE,
    Rule,
    code_of_label,
    label_reason,
    parse_date,
    rules_of,
)
from credit_scoring.errors import FieldError, InvalidRequestError

BODY = "(body)"

_KINDS = {
    bool: "a boolean",
    float: "a number",
    str: "a string",
    list: "an array",
    type(None): "null",
}
_UNKNOWN_LISTED = 50
_UNKNOWN_COMPARED = 5
_NAME_LENGTH = 64


class _Object(list[tuple[str, object]]):
    """A JSON object as the list of its members, so that none is lost."""


class _NotJsonError(ValueError):
    """NaN or an infinity, which JSON does not have."""


class RequestCheck:
    """Reads a request field by field and says what is wrong with each.

    It decides what a request may be. The generated msgspec type accepts a part
    of that, faster; what it refuses is read here.
    """

    def __init__(self, contract: Contract) -> None:
        """Prepare the rules of the contract's columns."""
        self._columns = request_columns(contract)
        self._rules = {name: rules_of(c) for name, c in self._columns.items()}
        self._history = contract.names(Role.HISTORY)
        self._required = contract.names(Role.ID, Role.APPLICATION)

    def read(self, body: bytes) -> dict[str, object]:
        """Read the values of a request.

        Args:
            body: JSON object in UTF-8.

        Returns:
            Column -> number, label, date, or None where missing. Columns that
            were not given are left out.

        Raises:
            InvalidRequestError: With every field that is wrong.
        """
        return self._members(load_json(body))

    def read_many(self, body: bytes) -> list[dict[str, object] | InvalidRequestError]:
        """Read the values of a batch; a wrong request is an error in its place.

        Args:
            body: JSON array of objects in UTF-8.

        Raises:
            InvalidRequestError: If the body as a whole is not a JSON array.
        """
        parts = load_json(body)
        if not isinstance(parts, list) or isinstance(parts, _Object):
            raise _body_error(f"is {_kind(parts)}; expected a JSON array")
        return [self._members_or_error(part) for part in parts]

    def _members_or_error(
        self, members: object
    ) -> dict[str, object] | InvalidRequestError:
        try:
            return self._members(members)
        except InvalidRequestError as error:
            return error.with_traceback(None)

    def _members(self, members: object) -> dict[str, object]:
        if not isinstance(members, _Object):
            raise _body_error(f"is {_kind(members)}; expected a JSON object")
        counts = Counter(name for name, _ in members)
        given = dict(members)
        errors = [*self._absent(given), *self._wrong(given), *_repeated(counts)]
        place = {name: index for index, name in enumerate(self._columns)}
        errors.sort(key=lambda error: place.get(error.field, len(place)))
        errors += self._unknown([name for name in given if name not in self._columns])
        if errors:
            raise InvalidRequestError(tuple(errors))
        return {name: _read(v, self._columns[name]) for name, v in given.items()}

    def _absent(self, given: Mapping[str, object]) -> list[FieldError]:
        errors = [FieldError(n, MISSING) for n in self._required if n not in given]
        absent = [name for name in self._history if name not in given]
        if len(absent) < len(self._history):
            part = f"{MISSING}; the history columns are given all or none"
            errors += [FieldError(name, part) for name in absent]
        return errors

    def _wrong(self, given: Mapping[str, object]) -> list[FieldError]:
        errors = []
        for name, column in self._columns.items():
            if name in given:
                problem = _problem(given[name], column, self._rules[name])
                if problem is not None:
                    errors.append(FieldError(name, problem))
        return errors

    def _unknown(self, names: list[str]) -> list[FieldError]:
        errors = []
        for index, name in enumerate(names[:_UNKNOWN_LISTED]):
            message = "is not a field of a request"
            if index < _UNKNOWN_COMPARED:
                shown = name[:_NAME_LENGTH]
                near = difflib.get_close_matches(shown, self._columns, n=1, cutoff=0.75)
                message += f"; did you mean {near[0]}?" if near else ""
            errors.append(FieldError(_printable(name), message))
        if len(names) > _UNKNOWN_LISTED:
            more = len(names) - _UNKNOWN_LISTED
            errors.append(FieldError(BODY, f"has {more} more unknown fields"))
        return errors


def load_json(body: bytes) -> object:
    """Parse JSON, every number as float64, every member of an object kept.

    Raises:
        InvalidRequestError: If the body is empty, not UTF-8, not JSON, or
            nested too deeply. The message gives the place, not the content.
    """
    if not body.strip(b" \t\r\n"):
        raise _body_error("is empty; expected JSON")
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_Object,
            parse_int=float,
            parse_constant=_refuse,
        )
    except UnicodeDecodeError as error:
        raise _body_error(f"is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _body_error(f"is not valid JSON at {place}") from None
    except _NotJsonError:
        raise _body_error("is not valid JSON: it holds NaN or an infinity") from None
    except RecursionError:
        raise _body_error("is nested too deeply") from None


def _refuse(constant: str) -> Never:
    raise _NotJsonError


def _body_error(message: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(BODY, message),))


def _repeated(counts: Counter[str]) -> list[FieldError]:
    return [
        FieldError(_printable(name), f"stands {count} times in the request")
        for name, count in counts.items()
        if count > 1
    ][:_UNKNOWN_LISTED]


def _problem(value: object, column: Column, rules: tuple[Rule, ...]) -> str | None:
    if value is None and column.nullable:
        return None
    if column.type in ("string", "date"):
        return _text_problem(value, column)
    if not isinstance(value, float):
        expected = "a number" if column.type == "number" else "a whole number"
        return f"is {_kind(value)}; expected {expected}"
    return next((rule.reason for rule in rules if rule.broken(value)), None)


def _text_problem(value: object, column: Column) -> str | None:
    if not isinstance(value, str):
        expected = "a date as YYYY-MM-DD" if column.type == "date" else "a string"
        return f"is {_kind(value)}; expected {expected}"
    if column.type == "date":
        return NOT_A_DATE if parse_date(value) is None else None
    if column.categories is not None:
        return None if value in code_of_label(column) else label_reason(column)
    if not _is_text(value):
        return "is not valid text: it holds half of a surrogate pair"
    if column.pattern is not None and not _matches(column.pattern, value):
        return f"does not match the pattern {column.pattern}"
    return None


def _read(value: object, column: Column) -> object:
    if column.type == "date" and isinstance(value, str):
        return parse_date(value)
    return value


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "an object")


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text, re.ASCII) is not None


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(name: str) -> str:
    """Show a field name that a client made up: short, and safe to encode."""
    shown = "".join(c if c.isprintable() else "?" for c in name[:_NAME_LENGTH])
    return shown + ("..." if len(name) > _NAME_LENGTH else "")
