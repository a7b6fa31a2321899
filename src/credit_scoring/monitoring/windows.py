"""Windows of time, which of them are due, and what segments of the log they need."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from credit_scoring.decision_log.reader import (
    Heard,
    Logged,
    segment_paths,
    verify_log,
)
from credit_scoring.decision_log.records import DecisionEntry
from credit_scoring.monitoring.parameters import MonitoringParameters

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_FAULTS = 20

Json = dict[str, Any]


@dataclass(frozen=True, order=True)
class Window:
    """A span of time.

    Attributes:
        since: Its first moment.
        hours: Its length.
    """

    since: datetime
    hours: int

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return self.since + timedelta(hours=self.hours)

    @property
    def name(self) -> str:
        """Name it by its begin and length, fit for a file."""
        return f"{self.since:%Y%m%dT%H%MZ}-{self.hours}h"

    @classmethod
    def of(cls, moment: datetime, hours: int) -> "Window":
        """Give the window that a moment is in."""
        length = timedelta(hours=hours)
        return cls(moment - (moment - _EPOCH) % length, hours)

    @classmethod
    def named(cls, name: str) -> "Window":
        """Read a name.

        Raises:
            ValueError: If it is none.
        """
        begin, _, length = name.partition("-")
        since = datetime.strptime(begin, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
        return cls(since, int(length.removesuffix("h")))


@dataclass(frozen=True)
class LogIndex:
    """How many decisions of each window each segment holds.

    Attributes:
        hours: Length of the windows.
        sizes: Segment -> bytes, as it was read.
        counts: Segment -> window -> decisions.
        faults: Segment, or the index -> what was changed in it.
    """

    hours: int
    sizes: dict[str, int]
    counts: dict[str, dict[str, int]]
    faults: dict[str, list[str]]

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], hours: int) -> "LogIndex":
        """Take what was kept; nothing if it is of windows of another length."""
        if kept.get("hours") != hours:
            return cls(hours, {}, {}, {})
        return cls(hours, kept["sizes"], kept["counts"], kept["faults"])

    def as_json(self) -> Json:
        """Give it as a JSON value."""
        return {
            "hours": self.hours,
            "sizes": self.sizes,
            "counts": self.counts,
            "faults": self.faults,
        }

    def segments(self, window: Window) -> dict[str, int]:
        """Segment -> decisions that it holds of a window."""
        return {
            segment: counts[window.name]
            for segment, counts in self.counts.items()
            if window.name in counts
        }

    def windows(self) -> set[str]:
        """Names of all windows that have a decision."""
        return {name for counts in self.counts.values() for name in counts}


def index_log(folder: Path, known: LogIndex) -> LogIndex:
    """Read, and verify, the segments that are new or have grown.

    Args:
        folder: Of the decision log.
        known: What an earlier run found.

    Returns:
        The same for all segments that are there now.

    Raises:
        DecisionLogError: If the log cannot be read.
    """
    # Before they are read: what is written meanwhile makes them new once more.
    sizes = {path.name: path.stat().st_size for path in segment_paths(folder)}
    changed = {name for name, size in sizes.items() if known.sizes.get(name) != size}
    counts: dict[str, Counter[str]] = {name: Counter() for name in changed}

    def hear(logged: Logged[Any]) -> None:
        if isinstance(logged.entry, DecisionEntry):
            window = Window.of(logged.entry.scored_at, known.hours)
            counts[logged.segment][window.name] += 1

    report = verify_log(folder, heard=hear, among=changed)
    faults = {name: f for name, f in known.faults.items() if name in sizes}
    faults = {name: f for name, f in faults.items() if name not in changed}
    for fault in report.faults:
        said = faults.setdefault(fault.file, [])
        if len(said) < _MOST_FAULTS:
            said.append(str(fault))
    unchanged = {n: c for n, c in known.counts.items() if n in sizes.keys() - changed}
    fresh = {name: dict(found) for name, found in counts.items()}
    return LogIndex(known.hours, sizes, unchanged | fresh, faults)


def due_windows(
    index: LogIndex, done: Mapping[str, Json], parameters: MonitoringParameters
) -> list[Window]:
    """Find the windows that are over and not done, or have other decisions by now.

    A window is due, too, if it was tried and could not be computed. One whose
    segments were removed since, as they were old enough, stays as it was done.

    Args:
        index: What the log holds.
        done: Window -> its record.
        parameters: Of the run.

    Returns:
        By time; the newest window that is over is among them even if it is empty.
    """
    now = parameters.as_of or datetime.now(UTC)
    over = now - timedelta(minutes=parameters.settle_minutes)
    newest = Window.of(over - timedelta(hours=index.hours), index.hours)
    names = index.windows() | {newest.name}
    windows = [Window.named(name) for name in names]
    since = parameters.since or _EPOCH
    return sorted(
        window
        for window in windows
        if window.until <= over
        and window.since >= since
        and _is_due(index.segments(window), done.get(window.name))
    )


def _is_due(segments: Mapping[str, int], record: Json | None) -> bool:
    if record is None or not record["computed"]:
        return True
    known: Mapping[str, int] = record["segments"]
    return any(known.get(name, 0) < count for name, count in segments.items())


def hear_window(
    folder: Path, window: Window, segments: Collection[str], *, heard: Heard
) -> None:
    """Go through the decisions of a window, one after another.

    Args:
        folder: Of the decision log.
        window: Which.
        segments: That hold some of them.
        heard: Told of each decision, with its header.

    Raises:
        DecisionLogError: If the log cannot be read.
    """

    def hear(logged: Logged[Any]) -> None:
        entry = logged.entry
        if isinstance(entry, DecisionEntry) and (
            window.since <= entry.scored_at < window.until
        ):
            heard(logged)

    verify_log(folder, heard=hear, among=segments)
