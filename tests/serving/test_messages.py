"""Reading bodies: in pieces, too large, too slow, and given up."""

import asyncio
from typing import Any

import pytest

from credit_scoring.serving.messages import (
    BodyLimits,
    ClientLeftError,
    read_json_body,
)
from credit_scoring.serving.problems import ProblemError

JSON = [(b"content-type", b"application/json")]
LIMITS = BodyLimits(size_bytes=10, timeout_ms=50)


def read(
    messages: list[dict[str, Any]], headers: list[tuple[bytes, bytes]] | None = None
) -> tuple[bytes, int]:
    """The body, and how many messages were left unread; an empty list waits."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.sleep(60)
        return left.pop(0)

    async def run() -> bytes:
        scope = {"headers": JSON if headers is None else headers}
        return await read_json_body(scope, receive, LIMITS)

    return asyncio.run(run()), len(left)


def piece(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_pieces_are_joined() -> None:
    pieces = [piece(b"abc", more=True), piece(b"", more=True), piece(b"d", more=False)]
    assert read(pieces) == (b"abcd", 0)


def test_a_body_without_more_is_one_piece() -> None:
    assert read([{"type": "http.request"}]) == (b"", 0)


def test_reading_stops_at_the_limit() -> None:
    pieces = [piece(b"x" * 6, more=True)] * 50
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        return left.pop()

    with pytest.raises(ProblemError, match="larger than 10 bytes") as raised:
        asyncio.run(read_json_body({"headers": JSON}, receive, LIMITS))
    assert raised.value.problem.status == 413
    assert len(left) == 48


@pytest.mark.parametrize("length", [b"11", b"9" * 5000])
def test_a_declared_length_above_the_limit_is_refused_unread(length: bytes) -> None:
    headers = [*JSON, (b"content-length", length)]
    with pytest.raises(ProblemError, match="larger than 10 bytes"):
        read([], headers)


def test_a_slow_body_is_given_up() -> None:
    with pytest.raises(ProblemError, match="not complete after 50 ms") as raised:
        read([piece(b"{", more=True)])
    assert raised.value.problem.status == 408
    assert (b"connection", b"close") in raised.value.headers


def test_a_client_that_left_is_not_answered() -> None:
    with pytest.raises(ClientLeftError):
        read([piece(b"{", more=True), {"type": "http.disconnect"}])
