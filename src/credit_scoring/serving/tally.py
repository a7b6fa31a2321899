"""Counting later: a request leaves a note, and the notes are counted together.

Where several processes count, prometheus_client writes each count into a mapped
file, for one to three microseconds; the dozen that belong to one decision would
cost as much as the decision. A note costs 30 nanoseconds, and notes that are alike
are counted at once.
"""

import asyncio
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry

# So old a count in `/metrics` of another worker may be, and so much of its counts
# a killed worker takes with it.
FLUSH_SECONDS = 0.1
# Counting them takes a few tenths of a millisecond, in which no request is answered.
_MOST_AT_ONCE = 32


class Notes:
    """What has happened and is not counted yet; any thread may add to it."""

    def __init__(self, count: Callable[[list[Any]], None]) -> None:
        """Begin with no notes.

        Args:
            count: Counts notes, at least one.
        """
        self._notes: deque[Any] = deque()
        self._count = count
        self.add: Callable[[Any], None] = self._notes.append

    def count_some(self) -> bool:
        """Count some of the notes; tells whether there are more."""
        notes = self._notes
        # One by one: another thread may add to it meanwhile.
        some = [notes.popleft() for _ in range(min(len(notes), _MOST_AT_ONCE))]
        if some:
            self._count(some)
        return bool(notes)


class Tally:
    """Has all notes counted: now and then, and before anybody reads a metric."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Be asked first when the registry is read; register before the metrics."""
        self._notes: list[Notes] = []
        self._preparations: list[Callable[[], None]] = []
        self._counting: asyncio.Task[None] | None = None
        registry.register(self)

    def notes(self, count: Callable[[list[Any]], None]) -> Notes:
        """Begin notes that a function counts."""
        notes = Notes(count)
        self._notes.append(notes)
        return notes

    def before_reading(self, prepare: Callable[[], None]) -> None:
        """Have something done, after counting, before anybody reads a metric."""
        self._preparations.append(prepare)

    def prepare(self) -> None:
        """Count all notes, as metrics are to be read; on the event loop's thread."""
        self.flush()
        for prepare in self._preparations:
            prepare()

    def flush(self) -> None:
        """Count all notes; on the thread of the event loop only."""
        while any(notes.count_some() for notes in self._notes):
            pass

    def start(self) -> None:
        """Count now and then, in the running event loop."""
        self._counting = asyncio.get_running_loop().create_task(self._count_often())

    def stop(self) -> None:
        """Count for the last time."""
        if self._counting is not None:
            self._counting.cancel()
        self.flush()

    def describe(self) -> Iterable[Any]:
        """Have no metric of its own."""
        return ()

    def collect(self) -> Iterable[Any]:
        """Count, as the registry is being read."""
        self.prepare()
        return ()

    async def _count_often(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            waiting = list(self._notes)
            while waiting:
                notes = waiting.pop(0)
                if notes.count_some():
                    waiting.append(notes)
                await asyncio.sleep(0)  # requests first


class Children:
    """The children of a metric, each looked up once: ``labels()`` is slow."""

    def __init__(self, metric: Any) -> None:
        """Know no child yet."""
        self._metric = metric
        self._children: dict[Hashable, Any] = {}

    def count(self, notes: Iterable[tuple[Any, ...]]) -> None:
        """Count notes, each of which is the values of a counter's labels."""
        for labels, times in Counter(notes).items():
            self.of(labels).inc(times)

    def of(self, labels: tuple[Any, ...]) -> Any:
        """Give the child of the labels' values."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._metric.labels(*labels)
        return child


def observe_all(
    histogram: prometheus_client.Histogram, values: Sequence[float]
) -> None:
    """Let a histogram observe values, at the cost of little more than one.

    Args:
        histogram: A child, or a histogram without labels.
        values: None of them NaN.
    """
    # prometheus_client has no public way to count many.
    bounds = histogram._upper_bounds
    buckets = histogram._buckets
    histogram._sum.inc(sum(values))
    for place, times in Counter(bisect_left(bounds, v) for v in values).items():
        buckets[place].inc(times)
