"""The live window: the newest decisions by bin of the reference, of all workers.

A worker counts into panes of its own, in a file that the other workers read. A pane
is a part of the window by time or number; the newest panes of all workers together
are the window.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
from numpy.typing import NDArray

from credit_scoring.monitoring.bins import Counts, ReferenceBins

_LOG = logging.getLogger(__name__)
_PARTS = 16
# A ring holds the parts of a window twice, as a pane may end early by either limit.
_PANES = 2 * _PARTS + 1
_HEADER_BYTES = 64
_SUFFIX = ".panes"
_TRIES = 3

Panes = NDArray[Any]


@dataclass(frozen=True)
class WindowLimits:
    """What the live window is.

    Attributes:
        minutes: Older decisions are not in it.
        most: It begins no earlier than needed for so many decisions.
    """

    minutes: float
    most: int


class Counted(NamedTuple):
    """The window at a moment.

    Attributes:
        rows: Decisions in it.
        since: When the first of its panes was begun, in seconds of the epoch; None
            if there is no decision.
        until: When the last decision was counted.
        counts: By column and bin, as `ReferenceBins.empty`.
    """

    rows: int
    since: float | None
    until: float | None
    counts: Counts


class LiveWindow:
    """Counts what this worker decides, and sums up what all workers did."""

    def __init__(
        self,
        bins: ReferenceBins,
        limits: WindowLimits,
        *,
        folder: Path | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin, or go on with the window of the other workers.

        Args:
            bins: What is counted.
            limits: How long the window is.
            folder: Shared by the workers; None for this worker alone.
            clock: Seconds of the epoch.
        """
        self.bins = bins
        self.limits = limits
        self._clock = clock
        self._folder = folder
        self._dtype = np.dtype(
            [
                ("sequence", "<i8"),
                ("rows", "<i8"),
                ("started", "<f8"),
                ("ended", "<f8"),
                ("counts", "<i8", bins.expected.shape),
            ]
        )
        self._header = bins.digest[:_HEADER_BYTES].encode()
        self._others: dict[Path, Panes] = {}
        self._path: Path | None = None
        self._panes: Panes = np.zeros(_PANES, self._dtype)
        if folder is not None:
            self._share(folder)
        self._current = 0
        bins.count(np.empty((0, len(bins.names))), bins.empty())  # compiled now

    def add(self, rows: NDArray[np.float64]) -> None:
        """Count decisions.

        Args:
            rows: Score and features of each, shape (n, n_columns), n > 0.
        """
        now = self._clock()
        pane = self._panes[self._current]
        if pane["rows"] and self._is_full(pane, now):
            self._current = (self._current + 1) % _PANES
            pane = self._panes[self._current]
        # Odd while it is being changed; who reads it meanwhile reads it again.
        pane["sequence"] += 1
        if pane["rows"] and self._is_full(pane, now):
            pane["counts"] = 0
            pane["rows"] = 0
        if not pane["rows"]:
            pane["started"] = now
        self.bins.count(rows, pane["counts"])
        pane["rows"] += len(rows)
        pane["ended"] = now
        pane["sequence"] += 1

    def total(self) -> Counted:
        """Sum up the newest panes of all workers, and forget dead ones' old files."""
        oldest = self._clock() - self.limits.minutes * 60
        found = [
            pane
            for panes in (self._panes, *self._of_others(oldest))
            for pane in _read(panes)
            if pane["rows"] and pane["ended"] >= oldest
        ]
        found.sort(key=lambda pane: float(pane["ended"]), reverse=True)
        counts, rows = self.bins.empty(), 0
        since: float | None = None
        for pane in found:
            if rows >= self.limits.most:
                break
            counts += pane["counts"]
            rows += int(pane["rows"])
            since = min(float(pane["started"]), since or np.inf)
        until = float(found[0]["ended"]) if found else None
        return Counted(rows, since, until, counts)

    def _is_full(self, pane: Any, now: float) -> bool:
        return bool(
            pane["rows"] * _PARTS >= self.limits.most
            or now - pane["started"] >= self.limits.minutes * 60 / _PARTS
        )

    def _share(self, folder: Path) -> None:
        name = f"live_window_{os.getpid()}_{time.time_ns()}"
        path = folder / f"{name}{_SUFFIX}"
        size = _HEADER_BYTES + self._panes.nbytes
        unfinished = folder / name
        try:
            with unfinished.open("w+b") as file:
                # Room that is there: a full disk must not end the worker later.
                os.posix_fallocate(file.fileno(), 0, size)
                file.write(self._header)
            self._panes = np.memmap(
                unfinished, self._dtype, "r+", _HEADER_BYTES, (_PANES,)
            )
            unfinished.rename(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            _LOG.error("this worker's live window is not shared: %s", error.strerror)
            return
        self._path = path

    def _of_others(self, oldest: float) -> Iterator[Panes]:
        if self._path is None or self._folder is None:
            return
        there = set(self._folder.glob(f"live_window_*{_SUFFIX}")) - {self._path}
        self._others = {p: o for p, o in self._others.items() if p in there}
        for path in sorted(there):
            panes = self._others.get(path)
            if panes is None:
                panes = self._opened(path)
            if panes is None or (panes["ended"].max() < oldest and _is_dead(path)):
                if _is_dead(path):
                    path.unlink(missing_ok=True)
                continue
            self._others[path] = panes
            yield panes

    def _opened(self, path: Path) -> Panes | None:
        """Open another worker's panes; None if they are of another model."""
        try:
            with path.open("rb") as file:
                if file.read(_HEADER_BYTES) != self._header:
                    return None
            panes: Panes = np.memmap(path, self._dtype, "r", _HEADER_BYTES, (_PANES,))
        except (OSError, ValueError):
            return None
        return panes


def _is_dead(path: Path) -> bool:
    pid = path.stem.split("_")[2]
    return pid.isdigit() and not psutil.pid_exists(int(pid))


def _read(panes: Panes) -> Iterator[Any]:
    """Copy each pane as it was at one moment.

    One that is odd for long belongs to a worker that was killed in the middle, and
    is left out.
    """
    for place in range(len(panes)):
        for _ in range(_TRIES):
            before = int(panes["sequence"][place])
            copy = panes[place].copy()
            if before % 2 == 0 and before == int(panes["sequence"][place]):
                yield copy
                break
