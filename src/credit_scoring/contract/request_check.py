"""The careful reading of a request: every wrong field, or its values."""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from credit_scoring.contract.bodies import Body
from credit_scoring.contract.careful_json import (
    BODY,
    JsonObject,
    body_error,
    kind_of,
    load_array,
    load_json,
)
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

_UNKNOWN_LISTED = 50
_UNKNOWN_COMPARED = 5
_NAME_LENGTH = 64


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

    def read_many(
        self, body: Body
    ) -> Iterator[dict[str, object] | InvalidRequestError]:
        """Read the values of a batch; a wrong request is an error in its place.

        Args:
            body: JSON array of objects in UTF-8.

        Returns:
            One after another, each read when it is taken.

        Raises:
            InvalidRequestError: If the body as a whole is not a JSON array; what is
                wrong only behind some requests is raised when those are taken.
        """
        return map(self._members_or_error, load_array(body))

    def _members_or_error(
        self, members: object
    ) -> dict[str, object] | InvalidRequestError:
        try:
            return self._members(members)
        except InvalidRequestError as error:
            return error.with_traceback(None)

    def _members(self, members: object) -> dict[str, object]:
        if not isinstance(members, JsonObject):
            raise body_error(f"is {kind_of(members)}; expected a JSON object")
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
        return f"is {kind_of(value)}; expected {expected}"
    return next((rule.reason for rule in rules if rule.broken(value)), None)


def _text_problem(value: object, column: Column) -> str | None:
    if not isinstance(value, str):
        expected = "a date as YYYY-MM-DD" if column.type == "date" else "a string"
        return f"is {kind_of(value)}; expected {expected}"
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
