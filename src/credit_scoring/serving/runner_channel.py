"""Connections to a runner in a service of its own: plain HTTP, kept open.

BentoML's own client sends pickles, closes its session every hundred requests with
calls in flight, and waits a minute. This one is as small as what it is for: one
known server on this machine, small bodies, answers of known length.
"""

import asyncio
from time import monotonic
from typing import NamedTuple, cast
from urllib.parse import unquote, urlsplit

from credit_scoring.serving.runner_wire import ROWS_TYPE

_HEAD_ENDS = b"\r\n\r\n"
_LONGEST_HEAD = 64 * 1024
_LARGEST_ANSWER_BYTES = 64 * 1024**2
# The server closes a connection that is idle for 5 s, as uvicorn does by default.
_LONGEST_IDLE_SECONDS = 2.0


class ChannelError(OSError):
    """The runner's service gave no answer of use."""


class _UnusedError(ChannelError):
    """The connection had been closed before this question reached anybody."""


class Address(NamedTuple):
    """Where a service listens: a socket's path, or host and port."""

    path: str | None
    host: str = ""
    port: int = 0


def address_of(url: str) -> Address:
    """Read where BentoML says that a service listens.

    Raises:
        ValueError: If it is neither a socket's file nor host and port.
    """
    parts = urlsplit(url)
    if parts.scheme in {"file", "unix"}:
        return Address(unquote(parts.path))
    if parts.scheme in {"http", "tcp"} and parts.hostname and parts.port:
        return Address(None, parts.hostname, parts.port)
    raise ValueError("expected a file://, unix://, http:// or tcp:// address")


class RunnerChannel:
    """Asks a service; as many connections as questions at a time."""

    def __init__(self, address: Address) -> None:
        """Prepare; nothing is connected."""
        self._address = address
        self._idle: list[_Connection] = []

    async def ask(self, path: str, body: bytes) -> bytes:
        """Send a question and give the answer's body. The caller bounds the wait.

        Raises:
            OSError: If there is no answer, or another status than 200.
        """
        request = _request(path, body)
        while (connection := self._kept()) is not None:
            try:
                return await self._ask(connection, request)
            except _UnusedError:
                continue  # the service closed it, or is another process now
        return await self._ask(await self._connect(), request)

    def close(self) -> None:
        """Close the connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _ask(self, connection: "_Connection", request: bytes) -> bytes:
        try:
            answer = await connection.ask(request)
        except BaseException:  # with a question on its way it is of no use any more
            connection.close()
            raise
        if answer.keeps_alive:
            connection.idle_since = monotonic()
            self._idle.append(connection)
        else:
            connection.close()
        if answer.status != 200:  # noqa: PLR2004
            raise ChannelError(f"the runner's service answers {answer.status}")
        return answer.body

    def _kept(self) -> "_Connection | None":
        oldest = monotonic() - _LONGEST_IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        path, host, port = self._address
        if path is not None:
            return (await loop.create_unix_connection(_Connection, path))[1]
        return (await loop.create_connection(_Connection, host, port))[1]


class _Answer(NamedTuple):
    status: int
    keeps_alive: bool
    body: bytes


class _Connection(asyncio.Protocol):
    """One connection, with at most one question on its way."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._head: tuple[int, bool, int, int] | None = None
        self._waiting: asyncio.Future[_Answer] | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> _Answer:
        """Send a request and wait for its answer.

        Raises:
            _UnusedError: If the connection was closed before anything was read of it.
            ChannelError: If what comes is no answer.
        """
        if self._transport is None or self._transport.is_closing():
            raise _UnusedError("the connection is closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._waiting
        finally:
            self._waiting = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every loop's transports are of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        waiting = self._waiting
        if waiting is None or waiting.done():
            self.close()  # nobody has asked
            return
        try:
            answer = self._complete()
        except ChannelError as error:
            waiting.set_exception(error)
            return
        if answer is not None:
            waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            kind = ChannelError if self._received else _UnusedError
            self._waiting.set_exception(kind("the runner's service went away"))

    def _complete(self) -> _Answer | None:
        """Give the answer once all of it has come."""
        if self._head is None:
            self._head = _read_head(self._received)
            if self._head is None:
                return None
        status, keeps_alive, start, length = self._head
        if len(self._received) < start + length:
            return None
        body = bytes(self._received[start : start + length])
        keeps_alive = keeps_alive and len(self._received) == start + length
        self._received.clear()
        self._head = None
        return _Answer(status, keeps_alive, body)


def _request(path: str, body: bytes) -> bytes:
    return b"POST %b HTTP/1.1\r\nhost: runner\r\ncontent-type: %b\r\n%b" % (
        path.encode(),
        ROWS_TYPE,
        b"content-length: %d\r\n\r\n%b" % (len(body), body),
    )


def _read_head(received: bytearray) -> tuple[int, bool, int, int] | None:
    """Read status, whether the connection stays, and where the body is.

    Raises:
        ChannelError: If this is not the head of an answer of known length.
    """
    end = received.find(_HEAD_ENDS)
    if end < 0:
        if len(received) > _LONGEST_HEAD:
            raise ChannelError("the answer of the runner's service has no end")
        return None
    first, *lines = bytes(received[:end]).split(b"\r\n")
    headers = {
        name.strip().lower(): value.strip().lower()
        for name, _, value in (line.partition(b":") for line in lines)
    }
    version, _, rest = first.partition(b" ")
    status, length = rest[:3], headers.get(b"content-length", b"")
    if version != b"HTTP/1.1" or not status.isdigit() or not length.isdigit():
        raise ChannelError("the runner's service does not speak as expected")
    if int(length) > _LARGEST_ANSWER_BYTES:
        raise ChannelError("the answer of the runner's service is too large")
    keeps_alive = headers.get(b"connection") != b"close"
    return int(status), keeps_alive, end + len(_HEAD_ENDS), int(length)
