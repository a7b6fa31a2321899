"""Leaving in peace: SIGTERM ends a worker only after the last answer.

A client or gateway that keeps connections open must learn that this worker leaves
before its connections are gone, or a request meets a closed one and is lost. So,
for a while after the signal, readiness is off and everything is still answered,
each answer with ``connection: close``; then no connection is accepted any more,
those that are left get their answers, and only then the server shuts down.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uvicorn import Server

_LOG = logging.getLogger(__name__)

_POLL_SECONDS = 0.02
# A connection that was accepted last brings its request within so long.
_LAST_REQUEST_SECONDS = 0.5

Handler = Callable[[int, FrameType | None], Any]


class Draining:
    """Puts itself in front of the server's own answer to SIGTERM."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """Prepare; nothing is installed.

        Args:
            seconds: How long everything is answered after the signal; asked for
                when it comes.
        """
        self.begun = False
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shut_down: Handler | None = None
        self._draining: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Take the signal over, in the running loop; the server has its handler set.

        Outside of the main thread, where no signal arrives, nothing is done.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        before = signal.getsignal(signal.SIGTERM)
        if not callable(before):
            return  # nobody would be told afterwards
        self._loop = asyncio.get_running_loop()
        self._shut_down = before
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._shut_down is None or self._loop is None:
            return
        if self.begun:
            self._shut_down(number, frame)  # whoever asks twice is in a hurry
            return
        self.begun = True
        self._loop.call_soon_threadsafe(self._start, number)

    def _start(self, number: int) -> None:
        # The task is kept: the loop itself would let it be collected.
        self._draining = asyncio.ensure_future(self._drain(number))

    async def _drain(self, number: int) -> None:
        seconds = self._seconds()
        _LOG.info("answering for %g s more, then shutting down", seconds)
        await asyncio.sleep(seconds)
        if self._shut_down is None:
            return
        # BentoML's supervisor imports this module too, and needs no server.
        from uvicorn import Server

        server = getattr(self._shut_down, "__self__", None)
        if isinstance(server, Server):
            await _let_connections_go(server)
        self._shut_down(number, None)


async def _let_connections_go(server: "Server") -> None:
    """Accept no connection any more, and wait for the requests on their way."""
    for listener in server.servers:
        listener.close()
    gives_up = monotonic() + _LAST_REQUEST_SECONDS
    while server.server_state.connections and monotonic() < gives_up:
        await asyncio.sleep(_POLL_SECONDS)
