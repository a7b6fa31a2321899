"""Requests under the contract: bytes to applications, applications to columns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET
from msgspec.structs import astuple
from numpy.typing import NDArray

from credit_scoring.contract.bodies import Body, count
from credit_scoring.contract.careful_json import load_array
from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.contract.request_check import RequestCheck
from credit_scoring.contract.request_schema import request_json_schema
from credit_scoring.contract.request_type import (
    Application,
    application_type,
    request_columns,
)
from credit_scoring.contract.rules import (
    code_of_label,
    days_from_date,
    needs_standardising,
    standardise,
)
from credit_scoring.errors import BatchTooLongError, InvalidRequestError

__all__ = ["Application", "RequestDecoder", "request_json_schema"]

# An application may be so many commas longer than its columns before it counts as
# another one: an unknown field is to be named, not to be taken for a long batch.
_SPARE = 8
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class RequestDecoder:
    """Decodes and validates requests, fast when they are right.

    A right request costs one msgspec decode. Anything that it refuses, and
    anything that may hold a key twice, is read again by `RequestCheck`, which
    either accepts it or names every wrong field.
    """

    def __init__(self, contract: Contract) -> None:
        """Generate the request type of the contract."""
        fields = request_columns(contract)
        self.contract = contract
        application = contract.names(Role.APPLICATION)
        history = contract.names(Role.HISTORY)
        self._type = application_type(contract)
        self._build: Callable[..., Application] = self._type
        self._decode = msgspec.json.Decoder(self._type).decode
        self._split = msgspec.json.Decoder(list[msgspec.Raw]).decode
        self._check = RequestCheck(contract)
        self._n_fields = len(fields)
        self._history = slice(1 + len(application), 1 + len(application) + len(history))
        self._n_history = len(history)
        self._texts = tuple(
            index for index, c in enumerate(fields.values()) if c.type in _TEXTS
        )
        self._names = (*application, *history)
        self._before_history = slice(1, self._history.start)
        self._inputs = slice(1, self._history.stop)
        self._no_history = (None,) * len(history)
        inputs = [contract.columns[name] for name in self._names]
        self._encoders = {
            index: _encoder(column)
            for index, column in enumerate(inputs)
            if column.type in _TEXTS
        }
        self._standardised = [
            (index, column)
            for index, column in enumerate(inputs)
            if needs_standardising(column)
        ]

    def decode(self, body: bytes) -> Application:
        """Decode one application.

        Args:
            body: JSON object in UTF-8.

        Raises:
            InvalidRequestError: If it breaks the contract; lists every wrong
                field and never a value.
        """
        try:
            application = self._decode(body)
        except _REFUSED:
            return self._build(**self._check.read(body))
        values = astuple(application)
        without = values[self._history].count(UNSET)
        if without and without != self._n_history:
            return self._build(**self._check.read(body))
        # msgspec takes the last of two equal keys. A key has two quotes, and so
        # has a text, at least; one more quote and a key may stand twice.
        strings = self._n_fields - values.count(UNSET)
        for index in self._texts:
            strings += values[index] is not UNSET
        if body.count(b'"') != 2 * strings:
            return self._build(**self._check.read(body))
        return application

    def decode_many(
        self, body: Body, *, most: int | None = None
    ) -> Iterator[Application | InvalidRequestError]:
        """Decode a batch; a wrong application is an error in its own place.

        Args:
            body: JSON array of objects in UTF-8.
            most: Most applications; None for any number.

        Returns:
            One after another, decoded when it is taken; the errors below come at once.

        Raises:
            BatchTooLongError: If there are more, or parts enough for more. What
                is too long costs no memory that grows with it.
            InvalidRequestError: If the body as a whole is no JSON array, or a
                part of it is nested too deeply.
        """
        if most is not None:
            _refuse_more(count(body, b","), most * (self._n_fields + _SPARE), most)
        try:
            parts = self._split(body)
            if most is not None:
                _refuse_more(len(parts), most, most)
        except _REFUSED:
            # Read twice rather than kept: what is wrong with the whole comes first.
            given = sum(1 for _ in load_array(body))
            if most is not None:
                _refuse_more(given, most, most)
            return map(self._build_or_error, self._check.read_many(body))
        return (self.decode_or_error(bytes(part)) for part in parts)

    def _build_or_error(
        self, part: Mapping[str, object] | InvalidRequestError
    ) -> Application | InvalidRequestError:
        if isinstance(part, InvalidRequestError):
            return part
        return self._build(**part)

    def application(self, values: Mapping[str, object]) -> Application:
        """Make an application of values that keep the contract.

        Args:
            values: Column -> number, label, date, or None where missing; columns
                that were not given are left out.
        """
        return self._build(**values)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that features may use, in the order of `rows`."""
        return self._names

    def rows(self, applications: Sequence[Application]) -> NDArray[np.float64]:
        """Give the columns that features may use, side by side, as numbers.

        Undocumented codes are recoded and sentinels are NaN, as in files. The
        history columns of an application without history are NaN.

        Args:
            applications: From this decoder.

        Returns:
            Shape (n_applications, n_columns), C order, in the order of `names`.
            Protected columns are left out.
        """
        rows: list[Any] = [
            astuple(a)[self._inputs]
            if a.has_history
            else astuple(a)[self._before_history] + self._no_history
            for a in applications
        ]
        if self._encoders:
            rows = [self._encoded(row) for row in rows]
        matrix = np.array(rows, np.float64)
        if not rows:
            return matrix.reshape(0, len(self._names))
        np.add(matrix, 0.0, matrix)  # -0 is 0, as in files
        for index, column in self._standardised:
            matrix[:, index] = standardise(matrix[:, index], column)
        return matrix

    def columns(
        self, applications: Sequence[Application]
    ) -> dict[str, NDArray[np.float64]]:
        """Give what `rows` gives column by column.

        Returns:
            Input column -> float64, shape (n_applications,), contiguous.
        """
        turned = np.ascontiguousarray(self.rows(applications).T)
        return dict(zip(self._names, turned, strict=True))

    def decode_or_error(self, body: bytes) -> Application | InvalidRequestError:
        """Decode one application of a batch; a wrong one is its error."""
        try:
            return self.decode(body)
        except InvalidRequestError as error:
            # Without its traceback and the error before it, which would keep the
            # body alive.
            error.__context__ = None
            return error.with_traceback(None)

    def _encoded(self, row: tuple[Any, ...]) -> list[float | None]:
        return [
            self._encoders[i](value)
            if i in self._encoders and value is not None
            else value
            for i, value in enumerate(row)
        ]


_TEXTS = ("string", "date")


def _refuse_more(found: int, bound: int, most: int) -> None:
    if found > bound:
        raise BatchTooLongError(f"the batch has more than {most} applications")


def _encoder(column: Column) -> Callable[[Any], float]:
    if column.type == "date":

        def days(day: date) -> float:
            return days_from_date(day)

        return days
    return code_of_label(column).__getitem__
