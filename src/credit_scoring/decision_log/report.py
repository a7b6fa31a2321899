"""What was found when the decision log was looked through."""

from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "ended", "unended"]


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was written.

    Attributes:
        file: Name of the segment, or of the index.
        line: Number of the line, from 1; None if it is about the whole file.
        problem: What is wrong.
    """

    file: str
    line: int | None
    problem: str

    def __str__(self) -> str:
        """Say where and what."""
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.problem}"


@dataclass(frozen=True)
class SegmentReport:
    """What a segment's file holds.

    Attributes:
        name: Name of its file.
        state: ``closed`` with a footer; ``open``: a process writes it; ``ended``:
            its process was killed, and the index has its end; ``unended``: its
            process was killed and nobody has noted its end yet.
        decisions: Count of its decisions.
        shadows: Count of those in the shadow.
        size_bytes: Length of its complete lines.
        last_hash: Hash of its last complete line.
        torn_bytes: Length of a part of a line at its end. That was never an
            answered decision: its process was killed while writing it.
        outcomes: Count of its outcomes, which have a log of their own.
        blocks: Count of its blocks of batches.
        block_decisions: Count of the decisions in them.
    """

    name: str
    state: State
    decisions: int
    shadows: int
    size_bytes: int
    last_hash: str
    torn_bytes: int
    outcomes: int = 0
    blocks: int = 0
    block_decisions: int = 0

    @property
    def records(self) -> int:
        """Count of all lines that count: decisions, in the shadow or not, and so on."""
        return self.decisions + self.shadows + self.outcomes + self.blocks


@dataclass(frozen=True)
class LogReport:
    """The decision log as it was found.

    Attributes:
        segments: In order of their names, which is that of time.
        faults: What is not as it was written; none if nothing was changed.
        head: Hash of the last line of the index.
        removed: Count of segments that retention has removed.
    """

    segments: tuple[SegmentReport, ...]
    faults: tuple[Fault, ...]
    head: str
    removed: int = 0

    @property
    def records(self) -> int:
        """Count of all decisions in all segments, those in the shadow included."""
        return sum(segment.records for segment in self.segments)

    @property
    def outcomes(self) -> int:
        """Count of outcomes in all segments."""
        return sum(segment.outcomes for segment in self.segments)

    @property
    def decisions(self) -> int:
        """Count of decisions in all segments, those in blocks included."""
        return sum(s.decisions + s.block_decisions for s in self.segments)

    @property
    def shadows(self) -> int:
        """Count of decisions in the shadow in all segments."""
        return sum(segment.shadows for segment in self.segments)

    @property
    def torn(self) -> tuple[SegmentReport, ...]:
        """Segments that end in a part of a line."""
        return tuple(s for s in self.segments if s.torn_bytes)
