"""How far a long writing is: a bar for a terminal, a line now and then for a log."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 5.0


class _RowsPerSecond(TextColumn):
    """How many rows are written in a second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} rows/s")


@contextlib.contextmanager
def row_progress(
    title: str, total: int | None, console: Console | None = None
) -> Iterator[Callable[[int], None]]:
    """Show progress until the block is left.

    Args:
        title: What is going on.
        total: Number of rows in all; None if nobody knows.
        console: Where a person may look; by default standard error.

    Yields:
        To be told the number of further rows that are done.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(title, total).advance
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RowsPerSecond(),
        TimeRemainingColumn(),
        console=console,
    ) as bar:
        task = bar.add_task(title, total=total)
        yield lambda rows: bar.advance(task, rows)


class _Lines:
    """A line of the log every few seconds."""

    def __init__(self, title: str, total: int | None) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._started = self._last = time.monotonic()

    def advance(self, rows: int) -> None:
        self._done += rows
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = now
        speed = self._done / (now - self._started)
        if self._total is None:
            logger.info("%s: %d rows, %d rows/s", self._title, self._done, speed)
            return
        logger.info(
            "%s: %d of %d rows, %d rows/s, %d s left",
            self._title,
            self._done,
            self._total,
            speed,
            (self._total - self._done) / speed,
        )
