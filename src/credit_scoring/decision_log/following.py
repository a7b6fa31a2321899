"""Following a chain of lines, and naming what is wrong with it."""

from dataclasses import dataclass, field

from credit_scoring.decision_log.chain import GENESIS, Link, link_of
from credit_scoring.decision_log.report import Fault


@dataclass
class Chain:
    """Follows a chain of lines, and goes on behind what is wrong.

    Attributes:
        file: Name of the file.
        faults: What is wrong so far.
        lines: Count of its lines so far.
        size_bytes: Length of the complete ones.
        torn_bytes: Length of a part of a line at the end.
        stated: The hash that the last line says it has.
    """

    file: str
    faults: list[Fault] = field(default_factory=list)
    lines: int = 0
    size_bytes: int = 0
    torn_bytes: int = 0
    stated: bytes = GENESIS
    _computed: bytes = GENESIS
    _sequence: int = -1

    def follow(self, line: bytes) -> Link | None:
        """Take the next line; None if it is torn or none at all."""
        self.lines += 1
        if not line.endswith(b"\n"):
            self.torn_bytes = len(line)
            return None
        self.size_bytes += len(line)
        link = link_of(line)
        if link is None:
            self.fault("not a line of the decision log")
            return None
        if link.computed != link.stated:
            self.fault("altered: its hash is not that of its content")
        expected = self._sequence + 1
        if link.sequence != expected:
            self.fault(
                f"number {link.sequence} stands where {expected} was expected: "
                "lines were removed, inserted, repeated or reordered"
            )
        # Of an altered line either hash may be the one that the next line has.
        elif link.previous not in (self.stated, self._computed):
            self.fault("does not continue the line before it")
        self._sequence = link.sequence
        self.stated, self._computed = link.stated, link.computed
        return link

    def fault(self, problem: str) -> None:
        """Note what is wrong with the line that was taken last."""
        self.faults.append(Fault(self.file, self.lines, problem))
