"""The index: which segments there are, how each ended, and which were removed.

It is one file for all workers, chained like a segment, and written under a lock
when a segment is begun or ended. A segment that is missing, that was put there,
or that lost its end is found by it.
"""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from credit_scoring.decision_log.chain import GENESIS, chained, link_of
from credit_scoring.decision_log.files import AppendOnlyFile, opened_when_free
from credit_scoring.decision_log.records import (
    Ended,
    IndexLine,
    Opened,
    Removed,
    encode,
    read_index_line,
)

INDEX_NAME = "index.jsonl"

_LOG = logging.getLogger(__name__)


@dataclass
class Known:
    """What the index says of the segments, by name.

    Attributes:
        opened: Begun, in order.
        ended: How those ended that did.
        removed: Deleted because of their age.
    """

    opened: dict[str, Opened] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    removed: dict[str, Removed] = field(default_factory=dict)

    def add(self, line: IndexLine) -> None:
        """Take a line into account."""
        if isinstance(line, Opened):
            self.opened[line.segment] = line
        elif isinstance(line, Ended):
            self.ended[line.segment] = line
        else:
            self.removed[line.segment] = line

    def unended(self) -> list[str]:
        """Name the segments that were begun, and of whose end nothing is known."""
        return [
            name
            for name in self.opened
            if name not in self.ended and name not in self.removed
        ]


class Index:
    """The index while this process has it locked.

    Attributes:
        known: What it says, with what was added meanwhile.
        head: Hash of its last line: whoever notes it elsewhere can prove that
            nothing before it was changed.
    """

    def __init__(self, file: AppendOnlyFile) -> None:
        """Read what the file holds; a torn last line is cut off.

        Raises:
            OSError: If it cannot be read.
        """
        self.known = Known()
        self.head = GENESIS
        self._sequence = -1
        self._file = file
        data = file.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            _LOG.warning("%s: cut off a torn last line", INDEX_NAME)
            file.cut(whole)
        for number, line in enumerate(data[:whole].splitlines(keepends=True), start=1):
            self._take(number, line)

    def add(self, line: IndexLine) -> None:
        """Add a line.

        Raises:
            OSError: If it cannot be written.
        """
        block, head = chained(self._sequence + 1, self.head, encode(line))
        self._file.append(block)
        self._sequence += 1
        self.head = head
        self.known.add(line)

    def _take(self, number: int, line: bytes) -> None:
        link = link_of(line)
        said = None if link is None else read_index_line(link.content)
        if link is not None and said is not None:
            self.known.add(said)
            self._sequence, self.head = link.sequence, link.stated
            return
        # An altered line is for the audit to find. It must not stop the service.
        _LOG.error("%s, line %d: not a line of an index", INDEX_NAME, number)


@contextlib.contextmanager
def locked_index(folder: Path, *, fsync: bool) -> Iterator[Index]:
    """Lock the index of a folder; it is begun if there is none.

    Raises:
        OSError: If it cannot be written, or is not free for half a second.
    """
    with opened_when_free(folder / INDEX_NAME, fsync=fsync) as file:
        yield Index(file)
