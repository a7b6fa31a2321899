"""JSON read with care: every member of an object is kept, every fault has its place."""

import json
import re
from collections.abc import Iterator
from typing import Never

from credit_scoring.contract.bodies import Body, characters, count, not_utf8_at
from credit_scoring.errors import FieldError, InvalidRequestError

BODY = "(body)"

_KINDS = {
    bool: "a boolean",
    float: "a number",
    str: "a string",
    list: "an array",
    type(None): "null",
}
_KINDS_BY_SIGN = {"{": "an object", '"': "a string"}
_BLANKS = re.compile(r"[ \t\r\n]*")
# So much of an array is decoded at a time; an element that is longer is decoded whole.
_WINDOW_BYTES = 1 << 16
# Where a text ends within a value, the parser says so at most so many characters
# before: `-Infinity` and a pair of escaped surrogates are the longest that it looks at.
_LOOKED_AT = 16
_UNTERMINATED = "Unterminated string"


class JsonObject(list[tuple[str, object]]):
    """A JSON object as the list of its members, so that none is lost."""


class _NotJsonError(ValueError):
    """NaN or an infinity, which JSON does not have."""


def _refuse(constant: str) -> Never:
    raise _NotJsonError


_DECODER = json.JSONDecoder(
    object_pairs_hook=JsonObject, parse_int=float, parse_constant=_refuse
)


def load_json(body: bytes) -> object:
    """Parse JSON, every number as float64, every member of an object kept.

    Raises:
        InvalidRequestError: If the body is empty, not UTF-8, not JSON, or
            nested too deeply. The message gives the place, not the content.
    """
    reader = _Reader(body, window=max(len(body), 1))
    if not reader.sign():
        raise body_error("is empty; expected JSON")
    value = reader.value()
    if reader.sign():
        raise reader.fault()
    return value


def load_array(body: Body) -> Iterator[object]:
    """Parse the elements of a JSON array, one after another.

    Args:
        body: Of any size; a small part of it is in memory at a time.

    Returns:
        What `load_json` makes of each element.

    Raises:
        InvalidRequestError: When the fault is reached: if the body is no array, or
            for what `load_json` refuses.
    """
    reader = _Reader(body, window=_WINDOW_BYTES)
    if reader.sign() != "[":
        raise body_error(f"is {_other_kind(reader, body)}; expected a JSON array")
    reader.skip()
    if reader.sign() == "]":
        reader.skip()
    else:
        yield from _elements(reader)
    if reader.sign():
        raise reader.fault()


def kind_of(value: object) -> str:
    """Name the kind of a parsed value, with its article."""
    return _KINDS.get(type(value), "an object")


def body_error(message: str) -> InvalidRequestError:
    """Say what is wrong with a body as a whole."""
    return InvalidRequestError((FieldError(BODY, message),))


def _elements(reader: "_Reader") -> Iterator[object]:
    while True:
        yield reader.value()
        sign = reader.sign()
        if sign not in {",", "]"}:
            raise reader.fault()
        reader.skip()
        if sign == "]":
            return
        reader.sign()


def _other_kind(reader: "_Reader", body: Body) -> str:
    """Name what a body is that is no array; all of it is read only if it is small."""
    sign = reader.sign()
    if not sign:
        raise body_error("is empty; expected JSON")
    if sign in _KINDS_BY_SIGN and len(body) > _WINDOW_BYTES:
        return _KINDS_BY_SIGN[sign]
    kind = kind_of(reader.value())
    if reader.sign():
        raise reader.fault()
    return kind


class _Reader:
    """Reads values and signs of a body in order, a window of its text at a time."""

    def __init__(self, body: Body, *, window: int) -> None:
        wrong = not_utf8_at(body)
        if wrong is not None:
            raise body_error(f"is not UTF-8 at byte {wrong}")
        self._body = body
        self._window = window
        # The text shown, where in the body it begins, and where in it reading goes on.
        self._text = ""
        self._start = self._size = self._at = 0
        self._to_the_end = False
        self._show(0, window)

    def sign(self) -> str:
        """Pass over blanks and give the next character; none at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = len(self._text) if blanks is None else blanks.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if self._to_the_end:
                return ""
            self._show_more()

    def skip(self) -> None:
        """Pass over the character that `sign` gave."""
        self._at += 1

    def value(self) -> object:
        """Read the value that begins here.

        Raises:
            InvalidRequestError: If there is none that is valid JSON.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                within = error.msg.startswith(_UNTERMINATED)
                if self._to_the_end or not (within or self._may_be_cut(error.pos)):
                    raise self.fault(error.pos) from None
            except _NotJsonError:
                raise body_error(
                    "is not valid JSON: it holds NaN or an infinity"
                ) from None
            except RecursionError:
                raise body_error("is nested too deeply") from None
            else:
                if self._to_the_end or not self._may_be_cut(end):
                    self._at = end
                    return value
            self._show_more()

    def fault(self, at: int | None = None) -> InvalidRequestError:
        """Say that the body is no JSON here, or at a place of the window."""
        place = self._byte(self._at if at is None else at)
        line_start = self._body.rfind(b"\n", 0, place) + 1
        line = 1 + count(self._body, b"\n", before=place)
        column = 1 + characters(self._body, line_start, place)
        return body_error(f"is not valid JSON at line {line}, column {column}")

    def _may_be_cut(self, at: int) -> bool:
        return at >= len(self._text) - _LOOKED_AT

    def _byte(self, at: int) -> int:
        return self._start + len(self._text[:at].encode())

    def _show(self, start: int, size: int) -> None:
        self._start, self._size, self._at = start, size, 0
        self._to_the_end = start + size >= len(self._body)
        # The window may end within a character, which the next one shows.
        self._text = self._body[start : start + size].decode("utf-8", "ignore")

    def _show_more(self) -> None:
        """Begin the window here; a value that begins it needs a larger one."""
        here = self._byte(self._at)
        size = self._window if here > self._start else 2 * self._size
        self._show(here, size)
