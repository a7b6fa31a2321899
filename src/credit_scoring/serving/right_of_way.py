"""Single applications go before the rows of batches."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# So much waiting a batch may owe after it had the way for long.
_MOST_PATIENCE_SECONDS = 0.02


class RightOfWay:
    """Held while a single application is answered; a batch waits meanwhile.

    A context for the event loop's thread. A batch never waits for longer than it has
    worked, so that it has half of the time at least, whoever holds the way.
    """

    def __init__(self) -> None:
        """Begin with a free way, and no batch."""
        self._held = 0
        self._batches = 0
        self._waiting = False
        self._free = threading.Event()
        self._patience = 0.0
        self._since = time.perf_counter()

    def __enter__(self) -> None:
        """Go before batches."""
        self._held += 1

    def __exit__(self, *_: object) -> None:
        """Let batches go on once the answer is sent, unless another has the way."""
        if self._batches:
            asyncio.get_running_loop().call_soon(self._leave)
        else:
            self._leave()

    def _leave(self) -> None:
        self._held -= 1
        if self._waiting and not self._held:
            self._free.set()

    @contextmanager
    def for_a_batch(self) -> Iterator[None]:
        """Tell that a batch is about, which gives way; in the event loop's thread."""
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1

    def give(self) -> None:
        """Wait until the way is free, or patience ends; on a batch's thread."""
        if not self._held:
            return
        begun = time.perf_counter()
        worked = begun - self._since
        self._patience = min(self._patience + worked, _MOST_PATIENCE_SECONDS)
        self._free.clear()
        self._waiting = True
        # It may have become free before anybody knew that it is waited for.
        if self._held:
            self._free.wait(self._patience)
        self._waiting = False
        self._since = time.perf_counter()
        self._patience -= self._since - begun
