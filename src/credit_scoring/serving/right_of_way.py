"""Single applications go before the rows of batches."""

import asyncio
import threading
import time

# So much waiting a batch may owe after it had the way for long.
_MOST_PATIENCE_SECONDS = 0.02


class RightOfWay:
    """Held while a single application is answered; a batch waits meanwhile.

    A context for the event loop's thread. A batch never waits for longer than it has
    worked, so that it has half of the time at least, whoever holds the way.
    """

    def __init__(self) -> None:
        """Begin with a free way."""
        self._held = 0
        self._free = threading.Event()
        self._free.set()
        self._patience = 0.0
        self._since = time.perf_counter()

    def __enter__(self) -> None:
        """Go before batches."""
        self._held += 1
        self._free.clear()

    def __exit__(self, *_: object) -> None:
        """Let batches go on once the answer is sent, unless another has the way."""
        asyncio.get_running_loop().call_soon(self._leave)

    def _leave(self) -> None:
        self._held -= 1
        if not self._held:
            self._free.set()

    def give(self) -> None:
        """Wait until the way is free, or patience ends; on a batch's thread."""
        if not self._held:
            return
        begun = time.perf_counter()
        worked = begun - self._since
        self._patience = min(self._patience + worked, _MOST_PATIENCE_SECONDS)
        self._free.wait(self._patience)
        self._since = time.perf_counter()
        self._patience -= self._since - begun
