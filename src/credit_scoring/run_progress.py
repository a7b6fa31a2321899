"""A line that shows that a node runs, for a person who waits at a terminal."""

import sys
import threading
import time

from rich.file_proxy import FileProxy

DELAY_S = 2.0
_STEP_S = 0.5
_CLEAR = "\r\x1b[K"


class RunningLine:
    """Shows one text with the seconds that went by; nothing without a terminal."""

    def __init__(self, *, delay_s: float = DELAY_S) -> None:
        """Show nothing yet.

        Args:
            delay_s: What takes less time than this is not shown.
        """
        self._delay_s = delay_s
        self._shown: tuple[threading.Thread, threading.Event] | None = None
        # Nodes start and stop in several threads under some runners.
        self._lock = threading.Lock()

    def start(self, text: str) -> None:
        """Show a text in place of the one before."""
        if not sys.stdout.isatty():
            return
        stopped = threading.Event()
        thread = threading.Thread(target=self._show, args=(text, stopped), daemon=True)
        with self._lock:
            self._clear()
            self._shown = (thread, stopped)
            thread.start()

    def stop(self) -> None:
        """Clear the line."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        if self._shown is not None:
            thread, stopped = self._shown
            stopped.set()
            thread.join()
            self._shown = None

    def _show(self, text: str, stopped: threading.Event) -> None:
        started = time.perf_counter()
        shown = False
        wait = self._delay_s
        while not stopped.wait(wait):
            # A bar is shown meanwhile, and would print the line above itself.
            if isinstance(sys.stdout, FileProxy):
                continue
            seconds = time.perf_counter() - started
            sys.stdout.write(f"{_CLEAR}{text} ... {seconds:.0f} s")
            sys.stdout.flush()
            shown, wait = True, _STEP_S
        if shown and not isinstance(sys.stdout, FileProxy):
            sys.stdout.write(_CLEAR)
            sys.stdout.flush()
