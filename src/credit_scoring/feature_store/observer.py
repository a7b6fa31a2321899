"""What the store tells of itself, for metrics; never whose history it was."""

from enum import StrEnum
from typing import Literal, Protocol

Operation = Literal["read", "write"]


class Fault(StrEnum):
    """Why a history was not read or not written; the kinds that metrics count."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    REFUSED = "refused"
    FULL = "full"
    SERVER = "server"
    CORRUPT = "corrupt"
    TRUNCATED = "truncated"
    OTHER_VERSION = "other_version"
    CIRCUIT_OPEN = "circuit_open"
    UNEXPECTED = "unexpected"


class CircuitState(StrEnum):
    """Whether the store is asked at all."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class StoreObserver(Protocol):
    """Counts what happens in the store."""

    def looked_up(self, *, hits: int, misses: int) -> None:
        """Count histories that the store had, and that it did not have."""

    def failed(self, operation: Operation, fault: Fault, histories: int) -> None:
        """Count histories that could not be read or written, by kind."""

    def read_in(self, seconds: float) -> None:
        """Note how long one question to the store took, successful or not."""

    def circuit(self, state: CircuitState) -> None:
        """Note the state of the circuit."""

    def queued(self, length: int) -> None:
        """Note how many histories wait to be written."""

    def dropped(self, histories: int) -> None:
        """Count histories that were dropped from a full queue."""

    def wrote(self, histories: int) -> None:
        """Count histories that the store has taken."""


class SilentObserver:
    """Counts nothing."""

    def looked_up(self, *, hits: int, misses: int) -> None:
        """Do nothing."""

    def failed(self, operation: Operation, fault: Fault, histories: int) -> None:
        """Do nothing."""

    def read_in(self, seconds: float) -> None:
        """Do nothing."""

    def circuit(self, state: CircuitState) -> None:
        """Do nothing."""

    def queued(self, length: int) -> None:
        """Do nothing."""

    def dropped(self, histories: int) -> None:
        """Do nothing."""

    def wrote(self, histories: int) -> None:
        """Do nothing."""
