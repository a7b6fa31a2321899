"""Faulty requests of many kinds, drawn from a seed: what each is and may get."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

Row = dict[str, Any]
Then = Literal["read", "half_close", "close", "reset"]

# Planted wherever a value of an applicant could stand. No answer, log or metric
# may ever hold one of them.
MARKER = "zq77marker"
MARKED_NUMBER = 9773311977
MARKERS = (MARKER.encode(), str(MARKED_NUMBER).encode())

# What is answered where nothing is: the server closed the connection.
CLOSED = 0

JSON_HEADER = b"Content-Type: application/json\r\n"


@dataclass(frozen=True)
class Faulty:
    """A faulty request.

    Attributes:
        pieces: Bytes, sent one after another.
        allowed: Statuses that are right; `CLOSED` where the server may close.
        answers: How many answers are due.
        names: Field that the answer must name, if it is a problem with fields.
        pause: Seconds between two pieces.
        then: What the client does once all is sent.
        to_head: The method is HEAD.
        own_connection: The connection is not used for anything else.
    """

    pieces: tuple[bytes, ...]
    allowed: frozenset[int]
    answers: int = 1
    names: str | None = None
    pause: float = 0.0
    then: Then = "read"
    to_head: bool = False
    own_connection: bool = True


Maker = Callable[[Random, Row], Faulty]


@dataclass(frozen=True)
class Kind:
    """A kind of faulty request.

    Attributes:
        name: As tables name it.
        make: Makes one, of a valid application that it may change.
        weight: How often it is drawn, beside 1 of the others.
    """

    name: str
    make: Maker
    weight: float


KINDS: list[Kind] = []


def kind(name: str, *, weight: float = 1.0) -> Callable[[Maker], Maker]:
    """List a function as a kind of faulty request."""

    def listed(make: Maker) -> Maker:
        KINDS.append(Kind(name, make, weight))
        return make

    return listed


def head(*headers: bytes, method: bytes = b"POST", path: bytes = b"/predict") -> bytes:
    """Write the head of a request, with the headers given as whole lines."""
    return b"%s %s HTTP/1.1\r\nHost: test\r\n%s\r\n" % (
        method,
        path,
        b"".join(headers),
    )


def length(size: int) -> bytes:
    """Write the header that declares a body's length."""
    return b"Content-Length: %d\r\n" % size


def request(
    body: bytes, *headers: bytes, path: bytes = b"/predict", method: bytes = b"POST"
) -> bytes:
    """Write a request that is sound as HTTP."""
    return head(JSON_HEADER, length(len(body)), *headers, path=path, method=method) + (
        body
    )


def sound(body: bytes, *allowed: int, **more: Any) -> Faulty:
    """Make a request that is sound as HTTP, on a connection that goes on."""
    path = more.pop("path", b"/predict")
    return Faulty(
        (request(body, path=path),),
        frozenset(allowed or (400,)),
        own_connection=False,
        **more,
    )


def as_json(row: Any) -> bytes:
    """Write JSON as clients do."""
    return json.dumps(row).encode()


def any_number(random: Random, row: Row) -> str:
    """Choose a column of numbers."""
    return random.choice([name for name in row if name != "loan_id"])
