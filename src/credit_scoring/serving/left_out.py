"""Why a runner was left out, said in one word, counted, and logged now and then."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Literal, get_args

from credit_scoring.errors import CreditScoringError

_LOG = logging.getLogger(__name__)

Kind = Literal["failed", "lagging", "missing", "slow", "stuck", "unavailable"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_MEANINGS: dict[Kind, str] = {
    "failed": "it raised an error",
    "lagging": "too many applications wait for it",
    "missing": "its artifact cannot be used",
    "slow": "it exceeded its time",
    "stuck": "an earlier computation has exceeded its time and goes on",
    "unavailable": "its service does not answer",
}
_SECONDS_BETWEEN_LINES = 10.0


class LeftOutError(CreditScoringError):
    """A runner that is not to be waited for."""

    def __init__(self, kind: Kind) -> None:
        """Say why."""
        super().__init__(_MEANINGS[kind])
        self.kind: Kind = kind


def kind_of(error: Exception) -> Kind:
    """Say in one word why a runner gave no decision."""
    return error.kind if isinstance(error, LeftOutError) else "failed"


class LeftOutLog:
    """Logs that a runner was left out: the first time, then at most every 10 s.

    Under load a line for each application would itself be a fault.
    """

    def __init__(self, what: str, clock: Callable[[], float] = monotonic) -> None:
        """Name what is left out, as lines begin."""
        self._what = what
        self._clock = clock
        self._next_line: dict[Kind, float] = {}
        self._unsaid: dict[Kind, int] = {}

    def add(self, error: Exception) -> None:
        """Log an error, or count it for the next line.

        An error's text may hold an applicant's values: only its type is said.
        """
        kind = kind_of(error)
        now = self._clock()
        self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
        if now < self._next_line.get(kind, 0.0):
            return
        self._next_line[kind] = now + _SECONDS_BETWEEN_LINES
        count = self._unsaid.pop(kind)
        _LOG.warning(
            "%s left out %d times: %s (%s)",
            self._what,
            count,
            _MEANINGS[kind],
            type(error).__name__,
        )
