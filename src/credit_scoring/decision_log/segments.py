"""Segments: the files of the decision log, each written by one process."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from credit_scoring.decision_log.chain import GENESIS, chained, link_of
from credit_scoring.decision_log.files import AppendOnlyFile, sync_folder
from credit_scoring.decision_log.records import (
    FORMAT,
    Ended,
    Footer,
    Header,
    Origin,
    SegmentLine,
    encode,
    read_segment_line,
)

_TAIL_BYTES = 1 << 16


def new_segment_name(started_at: datetime) -> str:
    """Name a segment of this process; names sort by time."""
    when = started_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{when}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"


class Segment:
    """The segment that this process writes.

    Attributes:
        name: Name of its file.
        records: Count of its decisions, those in the shadow included.
    """

    def __init__(
        self, folder: Path, origin: Origin, *, started_at: datetime, fsync: bool
    ) -> None:
        """Begin a segment: create its file and write its header.

        Raises:
            OSError: If it cannot be written; then no file is left.
        """
        self.name = new_segment_name(started_at)
        self.records = 0
        self._sequence = -1
        self._last_hash = GENESIS
        header = Header(FORMAT, self.name, started_at, origin)
        self._file = AppendOnlyFile(folder / self.name, fsync=fsync, create=True)
        try:
            self._append([encode(header)])
            if fsync:
                sync_folder(folder)
        except OSError:
            self.discard()
            raise

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        return self._file.size_bytes

    @property
    def broken(self) -> bool:
        """Whether nothing may be appended any more."""
        return self._file.broken

    def append(self, decisions: Sequence[bytes], *, at_leisure: bool = False) -> int:
        """Append encoded decisions with one write.

        Args:
            decisions: Or decisions in the shadow.
            at_leisure: Do not wait for the disk, even where others do.

        Returns:
            Count of bytes written.

        Raises:
            OSError: If none of them was appended.
        """
        written = self._append(decisions, at_leisure=at_leisure)
        self.records += len(decisions)
        return written

    def check_in_place(self) -> None:
        """Make sure that the file was not deleted.

        Raises:
            OSError: If it was.
        """
        self._file.check_in_place()

    def finish(self, at: datetime) -> Ended:
        """Write the footer; the lock is kept until `close`.

        Raises:
            OSError: If it could not be written.
        """
        self._append([encode(Footer(self.records, at))])
        return Ended(
            segment=self.name,
            closed=True,
            records=self.records,
            size_bytes=self.size_bytes,
            last_hash=self._last_hash.decode(),
            at=at,
        )

    def close(self) -> None:
        """Close the file as it is, which gives up the lock."""
        self._file.close()

    def discard(self) -> None:
        """Delete a segment that has no decision."""
        self._file.path.unlink(missing_ok=True)
        self._file.close()

    def _append(self, contents: Sequence[bytes], *, at_leisure: bool = False) -> int:
        sequence, previous = self._sequence, self._last_hash
        lines = []
        for content in contents:
            sequence += 1
            line, previous = chained(sequence, previous, content)
            lines.append(line)
        block = lines[0] if len(lines) == 1 else b"".join(lines)
        self._file.append(block, at_leisure=at_leisure)
        self._sequence, self._last_hash = sequence, previous
        return len(block)


@dataclass(frozen=True, slots=True)
class _LastLine:
    content: SegmentLine | None
    sequence: int
    hash: str
    end: int


def ended_without_its_writer(path: Path, at: datetime) -> Ended:
    """Describe the end of a segment whose process is gone, from its last line.

    A part of a line at the end was never a decision that was answered: it does
    not count. The file is left as it is.

    Raises:
        OSError: If it cannot be read.
        ValueError: If its last complete line is none of a segment.
    """
    last = _last_line(path)
    if last is None:
        return Ended(path.name, False, 0, 0, GENESIS.decode(), at)
    records = last.sequence
    closed = isinstance(last.content, Footer)
    if isinstance(last.content, Footer):
        records = last.content.records
    return Ended(path.name, closed, records, last.end, last.hash, at)


def _last_line(path: Path) -> _LastLine | None:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        length = _TAIL_BYTES
        while True:
            start = max(0, end - length)
            file.seek(start)
            tail = file.read(end - start)
            last = tail.rfind(b"\n")
            first = tail.rfind(b"\n", 0, max(last, 0))
            if first >= 0 or start == 0:
                break
            length *= 16
    if last < 0:
        return None
    link = link_of(tail[first + 1 : last + 1])
    if link is None or link.computed != link.stated:
        raise ValueError("the last complete line is none of a segment")
    content = read_segment_line(link.content)
    return _LastLine(content, link.sequence, link.stated.decode(), start + last + 1)
