"""What a connection may do before its request reaches the service.

Uvicorn bounds neither the size of a request's head, nor the time it may take, nor
the number of requests that a client sends ahead of their answers, nor the time for
which it may leave an answer unread. Behind a gateway
that does, none of this is ever seen; without one, a single client could take all
the memory or all the connections.
"""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uvicorn import Server
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from credit_scoring.serving.messages import problem_reply
from credit_scoring.serving.problems import (
    ProblemError,
    head_too_large,
    head_too_slow,
)

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

# A client that waits for no answer has no reason to send more than that ahead.
_MOST_AHEAD = 256
_LOOKS_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How much, and for how long, a request's head is read.

    Attributes:
        size_bytes: A head that is longer, and still not complete, is refused.
        timeout_ms: Longest time from the connection, or from when the one before
            could be answered, to a complete head; and longest time in which a client
            takes nothing of its answer.
    """

    size_bytes: int
    timeout_ms: int


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with bounds; what keeps them costs a request next to nothing.

    A head is on its way as long as its headers are not those of the newest
    request. Nothing is measured per request: the size is looked at when a piece
    has come that leaves a head incomplete, the time now and then.
    """

    limits = HeadLimits(size_bytes=2**16, timeout_ms=10_000)

    _measured: object = None
    _head_bytes = 0
    _waits_since = 0.0
    _waits_after: object = object()
    _unsent = 0
    _unsent_since = 0.0

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and cycle.scope["headers"] is self.headers:
            if len(self.pipeline) > _MOST_AHEAD:
                self.transport.abort()
            return
        if self.headers is not self._measured:
            # The piece in which a head begins may hold whole requests before it.
            self._measured = self.headers
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > self.limits.size_bytes:
            self._refuse(head_too_large(self.limits.size_bytes))

    def eof_received(self) -> bool | None:  # type: ignore[override]  # as asyncio says
        """Answer a client that has sent its request and will send no more.

        Returns:
            True if the connection stays open until the answer is sent.
        """
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body:
            return None
        cycle.keep_alive = False
        return True

    def give_up_if_overdue(self, now: float) -> None:
        """Close the connection if its client has let us wait for too long.

        Args:
            now: The event loop's time.
        """
        if self._is_stuck(now):
            self.transport.abort()
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._waits_after = self  # it waits for us
            return
        if self._waits_after is not cycle:
            self._waits_after = cycle
            self._waits_since = now
            return
        patience = self.limits.timeout_ms / 1000
        if cycle is not None:
            patience += self.timeout_keep_alive
        if now - self._waits_since <= patience:
            return
        begun = self.headers is not (None if cycle is None else cycle.scope["headers"])
        if begun:
            self._refuse(head_too_slow(self.limits.timeout_ms))
        else:
            self.transport.close()

    def _is_stuck(self, now: float) -> bool:
        """Tell whether the client has taken nothing of its answer for too long."""
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
            return False
        return now - self._unsent_since > self.limits.timeout_ms / 1000

    def _refuse(self, error: ProblemError) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            reply = problem_reply(error.problem, error.headers)
            length = (b"content-length", b"%d" % len(reply.body))
            lines = [b"%s: %s\r\n" % header for header in (*reply.headers, length)]
            head = STATUS_LINE[reply.status] + b"".join(lines)
            self.transport.write(head + b"\r\n" + reply.body)
        self.transport.close()


class ConnectionBounds:
    """Puts the bounded protocol in the place of uvicorn's."""

    def __init__(self, limits: Callable[[], HeadLimits]) -> None:
        """Prepare; nothing is installed.

        Args:
            limits: Asked for when the server has started.
        """
        self._limits = limits
        self._looking: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Bound the connections of the server whose loop is running.

        A server that parses with something else than httptools is left alone: h11
        has bounds of its own.
        """
        server = _server()
        if server is not None:
            self.bound(server)

    def bound(self, server: Server) -> None:
        """Bound the connections that a server accepts from now on, in its loop."""
        if server.config.http_protocol_class is not HttpToolsProtocol:
            return
        server.config.http_protocol_class = type(
            "BoundedProtocol", (BoundedProtocol,), {"limits": self._limits()}
        )
        self._looking = asyncio.ensure_future(_look_after(server))


async def _look_after(server: Server) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_LOOKS_EVERY_SECONDS)
        now = loop.time()
        for protocol in list(server.server_state.connections):
            if isinstance(protocol, BoundedProtocol):
                protocol.give_up_if_overdue(now)


def _server() -> Server | None:
    """Find the server of this process by its answer to SIGTERM."""
    handler: Any = signal.getsignal(signal.SIGTERM)
    server = getattr(handler, "__self__", None)
    return server if isinstance(server, Server) else None
