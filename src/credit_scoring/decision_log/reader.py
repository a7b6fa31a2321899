"""Reading the decision log, and finding every change that was made to it."""

import heapq
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from credit_scoring.decision_log.blocks import fault_of_block, read_block
from credit_scoring.decision_log.chain import Link, link_of
from credit_scoring.decision_log.files import is_locked, unchanged
from credit_scoring.decision_log.following import Chain
from credit_scoring.decision_log.index import INDEX_NAME, Known
from credit_scoring.decision_log.records import (
    FORMAT,
    SEGMENT_NAME,
    BlockEntry,
    DecisionEntry,
    Ended,
    Footer,
    Header,
    OutcomeEntry,
    SegmentLine,
    ShadowEntry,
    read_index_line,
    read_segment_line,
)
from credit_scoring.decision_log.report import Fault, LogReport, SegmentReport, State
from credit_scoring.errors import DecisionLogError

__all__ = [
    "Fault",
    "LogReport",
    "Logged",
    "LoggedDecision",
    "LoggedShadow",
    "SegmentReport",
    "read_decisions",
    "read_shadows",
    "segment_paths",
    "verify_log",
]

Entry = TypeVar("Entry", DecisionEntry, ShadowEntry, OutcomeEntry)
Decided = TypeVar("Decided", DecisionEntry, ShadowEntry)


@dataclass(frozen=True, slots=True)
class Logged(Generic[Entry]):
    """A decision, or one in the shadow, and where it stands.

    Attributes:
        entry: The decision.
        header: Of its segment.
        segment: Name of the segment.
        line: Its line, from 1; of a decision in a block, the block's.
        block: The block that it is in, if it is in one.
    """

    entry: Entry
    header: Header
    segment: str
    line: int
    block: BlockEntry | None = None


LoggedDecision = Logged[DecisionEntry]
LoggedShadow = Logged[ShadowEntry]
Heard = Callable[[Logged[Any]], None]
_logged: Callable[..., Logged[Any]] = Logged


def nobody(logged: Logged[Any]) -> None:
    """Take what is read and do nothing."""


def verify_log(
    folder: Path, *, heard: Heard = nobody, among: Collection[str] | None = None
) -> LogReport:
    """Look for every change to the decision log.

    Altered, removed, inserted, repeated and reordered lines are found, and whole
    segments that were removed, added or cut off. What is not found is the loss of
    the last lines of a segment whose process was killed, as long as no later
    process has noted its end, and of the last lines of the index: compare its
    head with one noted elsewhere.

    Args:
        folder: Holds the segments and their index.
        among: Names of the segments that are read; None for all.
        heard: Told of each decision that can be read, those in altered lines
            included, segment by segment: what it hears is what was verified.

    Raises:
        DecisionLogError: If there is no such folder, or it cannot be read.
    """
    try:
        index, paths = _index_and_segments(folder)
        read = [path for path in paths if among is None or path.name in among]
        checks = [_SegmentCheck(path, heard) for path in read]
    except OSError as error:
        raise _unreadable(error) from None
    faults = list(index.chain.faults)
    reports = []
    for check in checks:
        report = check.report(index.known)
        reports.append(report)
        faults += check.chain.faults
        faults += _against_index(report, index.known)
    present = {path.name for path in paths}
    faults += [
        Fault(name, None, "the segment is missing, and the index has no removal of it")
        for name in index.known.opened
        if name not in present and name not in index.known.removed
    ]
    return LogReport(
        tuple(reports),
        tuple(faults),
        index.chain.stated.decode(),
        removed=len(index.known.removed),
    )


def read_decisions(
    folder: Path, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[LoggedDecision]:
    """Read the decisions of all segments by time.

    Decisions of one segment come in the order in which they were written; those
    of several are merged by `scored_at`. Only as many files are open as there
    were workers at a time.

    Args:
        folder: Holds the segments.
        since: Leaves out earlier decisions.
        until: Leaves out decisions of this time and later.

    Raises:
        DecisionLogError: If a line cannot be read; `verify_log` says more.
    """
    return _entries(folder, DecisionEntry, since, until)


def read_shadows(
    folder: Path, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[LoggedShadow]:
    """Read what the challenger would have decided, by time of the decisions.

    It may stand in a later segment than the decision that has its `decision_id`.

    Args:
        folder: Holds the segments.
        since: Leaves out those of earlier decisions.
        until: Leaves out those of decisions of this time and later.

    Raises:
        DecisionLogError: If a line cannot be read; `verify_log` says more.
    """
    return _entries(folder, ShadowEntry, since, until)


def _entries(
    folder: Path, kind: type[Decided], since: datetime | None, until: datetime | None
) -> Iterator[Logged[Decided]]:
    waiting = segment_paths(folder)[::-1]
    active: list[tuple[datetime, int, Logged[Decided], Iterator[Logged[Decided]]]] = []
    order = 0
    while waiting or active:
        # A segment has no decision from before it was begun.
        while waiting and (not active or _started_at(waiting[-1]) <= active[0][0]):
            segment = _entries_of(waiting.pop(), kind)
            first = next(segment, None)
            order += 1
            if first is not None:
                heapq.heappush(active, (first.entry.scored_at, order, first, segment))
        if not active:
            return
        when, place, decision, segment = active[0]
        if (since is None or when >= since) and (until is None or when < until):
            yield decision
        following = next(segment, None)
        if following is None:
            heapq.heappop(active)
        else:
            at = max(when, following.entry.scored_at)
            heapq.heapreplace(active, (at, place, following, segment))


def segment_paths(folder: Path) -> list[Path]:
    """List the segments of a folder in order of time.

    Raises:
        DecisionLogError: If the folder cannot be read.
    """
    name = re.compile(SEGMENT_NAME)
    try:
        return sorted(path for path in folder.iterdir() if name.match(path.name))
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: OSError) -> DecisionLogError:
    return DecisionLogError(f"the decision log cannot be read: {error.strerror}")


def _index_and_segments(folder: Path) -> tuple["_IndexCheck", list[Path]]:
    if not (folder / INDEX_NAME).exists():
        return _IndexCheck(folder), segment_paths(folder)
    # Segments are made and deleted by who has the index locked.
    with unchanged(folder / INDEX_NAME):
        return _IndexCheck(folder), segment_paths(folder)


def _started_at(path: Path) -> datetime:
    stamp = path.name.partition("Z")[0]
    return datetime.strptime(stamp, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)


def _entries_of(path: Path, kind: type[Decided]) -> Iterator[Logged[Decided]]:
    header: Header | None = None
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            content = _decoded(path.name, number, line)
            if isinstance(content, Header):
                header = content
                continue
            if not isinstance(content, kind | BlockEntry):
                continue
            if header is None:
                raise DecisionLogError(f"{path.name}: begins without a header")
            if isinstance(content, kind):
                yield Logged(content, header, path.name, number)
            elif isinstance(content, BlockEntry):
                for entry in _entries_in(path, number, content, kind):
                    yield Logged(entry, header, path.name, number, content)


def _entries_in(
    path: Path, number: int, block: BlockEntry, kind: type[Decided]
) -> Iterator[Decided]:
    problem = fault_of_block(path.parent, block)
    if problem is not None:
        raise DecisionLogError(f"{path.name}, line {number}: {problem}")
    for entry in read_block(path.parent, block):
        if isinstance(entry, kind):
            yield entry


def _decoded(name: str, number: int, line: bytes) -> SegmentLine:
    link = link_of(line)
    said = None if link is None else read_segment_line(link.content)
    if said is None:
        raise DecisionLogError(f"{name}, line {number}: not a line of a segment")
    return said


class _IndexCheck:
    """Follows the index."""

    def __init__(self, folder: Path) -> None:
        self.known = Known()
        self.chain = Chain(INDEX_NAME)
        path = folder / INDEX_NAME
        if not path.exists():
            if segment_paths(folder):
                self.chain.faults.append(Fault(INDEX_NAME, None, "is missing"))
            return
        with path.open("rb") as file:
            for line in file:
                self._take(self.chain.follow(line))
        if self.chain.torn_bytes:
            self.chain.fault("torn, or its end was altered")

    def _take(self, link: Link | None) -> None:
        if link is None:
            return
        said = read_index_line(link.content)
        if said is None:
            self.chain.fault("not a line of an index")
        else:
            self.known.add(said)


class _SegmentCheck:
    """Follows a segment."""

    def __init__(self, path: Path, heard: Heard) -> None:
        self.chain = Chain(path.name)
        self._path = path
        self._heard = heard
        self._header: Header | None = None
        self._counts: Counter[type] = Counter()
        self._block_decisions = 0
        self._footer: Footer | None = None
        # First, so that what is written meanwhile is not taken for torn.
        self._open = is_locked(path)
        with path.open("rb") as file:
            for line in file:
                self._take(self.chain.follow(line))

    def report(self, known: Known) -> SegmentReport:
        """Say what was found."""
        chain = self.chain
        name = self._path.name
        state: State = "ended" if name in known.ended else "unended"
        if self._footer is not None:
            state = "closed"
        elif self._open:
            state = "open"
        return SegmentReport(
            name=name,
            state=state,
            decisions=self._counts[DecisionEntry],
            shadows=self._counts[ShadowEntry],
            outcomes=self._counts[OutcomeEntry],
            blocks=self._counts[BlockEntry],
            block_decisions=self._block_decisions,
            size_bytes=chain.size_bytes,
            last_hash=chain.stated.decode(),
            torn_bytes=chain.torn_bytes,
        )

    def _take(self, link: Link | None) -> None:
        chain = self.chain
        if link is None:
            if self._footer is not None:
                chain.fault("stands behind the footer")
            return
        content = read_segment_line(link.content)
        if content is None:
            chain.fault("not a line of a segment")
            return
        if self._footer is not None:
            chain.fault("stands behind the footer")
        if isinstance(content, Header) != (chain.lines == 1):
            chain.fault("a segment has one header, in its first line")
        if isinstance(content, Header):
            self._check_header(content)
        elif isinstance(content, Footer):
            self._footer = content
            records = self._counts.total()
            if content.records != records:
                chain.fault(
                    f"the footer counts {content.records} decisions, "
                    f"{records} are there"
                )
        else:
            self._counts[type(content)] += 1
            if isinstance(content, BlockEntry):
                self._take_block(content)
            elif self._header is not None:
                self._heard(_logged(content, self._header, chain.file, chain.lines))

    def _take_block(self, block: BlockEntry) -> None:
        chain, folder = self.chain, self._path.parent
        self._block_decisions += block.decisions
        problem = fault_of_block(folder, block)
        if problem is not None:
            chain.fault(problem)
        elif self._header is not None and self._heard is not nobody:
            place = (self._header, chain.file, chain.lines, block)
            for entry in read_block(folder, block):
                self._heard(_logged(entry, *place))

    def _check_header(self, header: Header) -> None:
        self._header = header
        if header.segment != self._path.name:
            self.chain.fault("the header is another segment's")
        if header.format != FORMAT:
            self.chain.fault(f"format {header.format} is not {FORMAT}")


def _against_index(report: SegmentReport, known: Known) -> list[Fault]:
    """Compare a segment with what the index says of it."""
    problems = []
    if report.name not in known.opened and report.records:
        problems.append("the index has no such segment")
    ended = known.ended.get(report.name)
    if ended is not None and _end_of(report) != _end_of(ended):
        problems.append(
            f"it ends after {report.records} decisions with hash "
            f"{report.last_hash[:12]}, but by the index after {ended.records} with "
            f"{ended.last_hash[:12]}"
        )
    if report.torn_bytes and (report.state == "closed" or (ended and ended.closed)):
        problems.append("a closed segment has a torn last line")
    return [Fault(report.name, None, problem) for problem in problems]


def _end_of(segment: SegmentReport | Ended) -> tuple[int, int, str]:
    return segment.records, segment.size_bytes, segment.last_hash
