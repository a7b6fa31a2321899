"""A thread that computes one thing after another, and is not waited for at the end.

The threads of an executor are joined when the process ends; one that hangs would
keep a worker from ever stopping.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic


class OwnThread:
    """Runs calls in the order given; it starts with the first one."""

    def __init__(self, name: str) -> None:
        """Name the thread, as debuggers show it."""
        self._name = name
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._running_since: float | None = None

    def run(self, call: Callable[[], None]) -> None:
        """Run a call when those before it are done.

        Args:
            call: Must raise nothing: nobody is there to catch it.
        """
        self._calls.put(call)
        if self._thread is None:
            self._start()

    def running_seconds(self) -> float:
        """Say how long the present call has been running; 0 if there is none."""
        since = self._running_since
        return 0.0 if since is None else monotonic() - since

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name=self._name, daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            self._running_since = monotonic()
            call()
            self._running_since = None
            # What the call holds must not stay alive until the next one comes.
            del call
