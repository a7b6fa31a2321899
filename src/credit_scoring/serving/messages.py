"""One HTTP request and its answer, as plain ASGI messages.

Starlette's request and response objects cost more than the whole decision, so
the routes work on ASGI's own scope, receive and send.
"""

import asyncio
import types
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Generator,
    MutableMapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

import msgspec

from credit_scoring.serving.problems import (
    TYPE_PREFIX,
    Header,
    Problem,
    body_too_large,
    body_too_slow,
    invalid_parameter,
    unsupported_media_type,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_PROBLEM_TYPE: Header = (b"content-type", b"application/problem+json")
_JSON_TYPE: Header = (b"content-type", b"application/json")
_NDJSON_TYPE: Header = (b"content-type", b"application/x-ndjson")
# A decision is about one person: nothing on the way may keep it.
NO_STORE: Header = (b"cache-control", b"no-store")

_USUAL_JSON_TYPES = frozenset(
    (
        b"application/json",
        b"application/json; charset=utf-8",
        b"application/json;charset=utf-8",
    )
)
_LONGEST_LENGTH = 15
_NOT_MODIFIED = 304
_PART = {"type": "http.response.body"}
_ENCODER = msgspec.json.Encoder()


class AsgiApp(Protocol):
    """An ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """An answer that is complete and ready to send.

    Attributes:
        status: HTTP status code.
        body: All of it.
        headers: Without the length.
        problem: Name of the problem that it says, if it does.
    """

    status: int
    body: bytes
    headers: tuple[Header, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class StreamedReply:
    """An answer 200 that is made while it is sent.

    Attributes:
        parts: Of its body, in order; closed when no more of them is wanted.
        headers: All of them.
    """

    parts: AsyncGenerator[bytes]
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much, and for how long, a route reads.

    Attributes:
        size_bytes: Largest body.
        timeout_ms: Longest time from the first to the last byte.
    """

    size_bytes: int
    timeout_ms: int


class ClientLeftError(Exception):
    """The client closed the connection before its request was complete."""


def json_reply(value: object) -> Reply:
    """Answer 200 with a value as JSON."""
    return decision_reply(_ENCODER.encode(value))


def encode_lines(values: Sequence[object]) -> bytes:
    """Write a value as JSON on each line."""
    return b"".join(_ENCODER.encode(value) + b"\n" for value in values)


def encode_members(values: Sequence[object]) -> bytes:
    """Write values as the members of a JSON array, without its brackets."""
    return b",".join(_ENCODER.encode(value) for value in values)


def ndjson_reply(values: Sequence[object]) -> Reply:
    """Answer 200 with a value as JSON on each line."""
    return Reply(200, encode_lines(values), (_NDJSON_TYPE, NO_STORE))


def decision_reply(body: bytes) -> Reply:
    """Answer 200 with a decision that is encoded already."""
    return Reply(200, body, (_JSON_TYPE, NO_STORE))


def problem_reply(problem: Problem, headers: Sequence[Header] = ()) -> Reply:
    """Answer with a problem and its status."""
    body = _ENCODER.encode(problem)
    name = problem.type.removeprefix(TYPE_PREFIX)
    return Reply(problem.status, body, (_PROBLEM_TYPE, NO_STORE, *headers), name)


async def send_reply(send: Send, reply: Reply) -> None:
    """Send an answer."""
    headers = list(reply.headers)
    # That of "not modified" would be the length of what is not sent.
    if reply.status != _NOT_MODIFIED:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send(
        {"type": "http.response.start", "status": reply.status, "headers": headers}
    )
    await send({"type": "http.response.body", "body": reply.body})


async def send_parts(send: Send, receive: Receive, reply: StreamedReply) -> None:
    """Send an answer as it is made, as fast as the client takes it.

    Raises:
        ClientLeftError: If the client left meanwhile.
        Exception: What making it raises; the client sees that it is cut off.
    """
    start = {"type": "http.response.start", "status": 200}
    left = asyncio.ensure_future(receive())
    try:
        async with aclosing(reply.parts) as parts:
            await send({**start, "headers": list(reply.headers)})
            async for part in parts:
                if left.done():
                    raise ClientLeftError
                await send({**_PART, "body": part, "more_body": True})
        await send({**_PART, "body": b""})
    finally:
        left.cancel()


async def read_json_body(
    scope: Scope, receive: Receive, limits: BodyLimits, *, also: tuple[bytes, ...] = ()
) -> bytes:
    """Read the body of a request that must be plain JSON into memory.

    Args:
        scope: Of the request.
        receive: Gives its body.
        limits: Of its size and time.
        also: Other content types that the route takes.

    Raises:
        ProblemError: If the type is not JSON in UTF-8 (415), the body is above
            the limit (413, before it is read if its length was declared), or it
            comes too slowly (408).
        ClientLeftError: If the client left before the body was complete.
    """
    check_headers(scope["headers"], limits.size_bytes, also)
    # Most bodies are there already, and a timer costs as much as the decoding.
    waiting = receive().__await__()
    try:
        awaited = next(waiting)
    except StopIteration as received:
        message: Message = received.value
        if message["type"] == "http.request" and not message.get("more_body", False):
            return _within(message.get("body", b""), limits.size_bytes)
        rest = _read_body(receive, message, limits.size_bytes)
    else:
        rest = _wait_and_read_body(receive, _go_on(waiting, awaited), limits.size_bytes)
    try:
        async with asyncio.timeout(limits.timeout_ms / 1000):
            return await rest
    except TimeoutError:
        raise body_too_slow(limits.timeout_ms) from None


@types.coroutine
def _go_on(
    waiting: Generator[Any, Any, Message], awaited: object
) -> Generator[Any, Any, Message]:
    """Go on with an awaitable that was started and now waits for something."""
    try:
        yield awaited
    except BaseException:
        waiting.close()
        raise
    return (yield from waiting)


async def _wait_and_read_body(
    receive: Receive, first: Awaitable[Message], limit_bytes: int
) -> bytes:
    return await _read_body(receive, await first, limit_bytes)


async def _read_body(receive: Receive, message: Message, limit_bytes: int) -> bytes:
    parts = body_parts(receive, message, limit_bytes)
    return b"".join([part async for part in parts])


async def body_parts(
    receive: Receive, message: Message, limit_bytes: int
) -> AsyncGenerator[bytes]:
    """Give a body part by part.

    Args:
        receive: Gives what comes after the first message.
        message: The first one.
        limit_bytes: Largest body.

    Raises:
        ProblemError: If the body is larger (413).
        ClientLeftError: If the client left before it was complete.
    """
    size = 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        size += len(part)
        if size > limit_bytes:
            raise body_too_large(limit_bytes)
        yield part
        if not message.get("more_body", False):
            return
        message = await receive()
    raise ClientLeftError


def _within(body: bytes, limit_bytes: int) -> bytes:
    if len(body) > limit_bytes:
        raise body_too_large(limit_bytes)
    return body


def check_headers(
    headers: Sequence[Header], limit_bytes: int, also: tuple[bytes, ...]
) -> None:
    """Check what a request says of its body, before it is read.

    Args:
        headers: Of the request.
        limit_bytes: Largest body.
        also: Other content types than JSON that the route takes.

    Raises:
        ProblemError: If the type is another one (415), or the length above the
            limit (413).
    """
    content_type: bytes | None = None
    for name, value in headers:
        if name == b"content-type":
            if content_type is not None:
                raise _not_json(also)
            content_type = value
        elif name == b"content-length":
            # The server has checked that it is a number, not how long it is.
            if len(value) > _LONGEST_LENGTH or int(value) > limit_bytes:
                raise body_too_large(limit_bytes)
        elif name == b"content-encoding" and value.strip().lower() != b"identity":
            raise unsupported_media_type(
                "the body is compressed; send it as it is",
                (b"accept-encoding", b"identity"),
            )
    if content_type not in _USUAL_JSON_TYPES and not _is_json(
        content_type or b"", also
    ):
        raise _not_json(also)


def _is_json(content_type: bytes, also: tuple[bytes, ...]) -> bool:
    taken = {"application/json", *(other.decode() for other in also)}
    essence, *parameters = content_type.decode("latin-1").lower().split(";")
    allowed = {"charset=utf-8", 'charset="utf-8"'}
    return essence.strip() in taken and all(
        parameter.strip() in allowed for parameter in parameters
    )


def _not_json(also: tuple[bytes, ...]) -> Exception:
    taken = (b"application/json", *also)
    return unsupported_media_type(
        f"the content type must be {' or '.join(t.decode() for t in taken)}, in UTF-8",
        (b"accept", b", ".join(taken)),
    )


class Wanted(NamedTuple):
    """What the query asks for beside the decision.

    Attributes:
        reasons: The reasons of an approval, too.
        interval: The interval of the PD.
    """

    reasons: bool = False
    interval: bool = False


_USUAL_QUERIES = {b"": Wanted(), b"reasons=true": Wanted(reasons=True)}


def wanted(query: bytes) -> Wanted:
    """Read what ``?reasons=true`` and ``?interval=true`` ask for.

    Raises:
        ProblemError: If a parameter has another value or comes twice, or there is
            any other parameter.
    """
    usual = _USUAL_QUERIES.get(query)
    if usual is not None:
        return usual
    try:
        pairs = parse_qsl(
            query.decode("latin-1"),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=8,
        )
    except ValueError:
        raise invalid_parameter("not a list of name=value pairs") from None
    if any(name not in Wanted._fields for name, _ in pairs):
        raise invalid_parameter(
            "unknown parameter; there are 'reasons' and 'interval' alone"
        )
    for name in Wanted._fields:
        values = [value for asked, value in pairs if asked == name]
        if values not in ([], ["true"]):
            raise invalid_parameter("expected 'true', once", name=name)
    return Wanted(**{name: True for name, _ in pairs})
