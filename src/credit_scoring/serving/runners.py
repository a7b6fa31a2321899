"""Runners: champion and challenger, each computing decisions in this process."""

import types
from collections.abc import Callable, Generator, Sequence
from time import perf_counter
from typing import Protocol

import msgspec

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.decisions import Decision
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.errors import ArtifactError
from credit_scoring.serving.answers import ModelAnswer

# More rows at once would keep the answers of those that are ready waiting.
_MOST_TOGETHER = 64


class Runner(Protocol):
    """A model with a role; where it computes is its own matter."""

    @property
    def model(self) -> ModelAnswer:
        """The model and its role, as answers name it."""

    @property
    def engine(self) -> DecisionEngine:
        """What decides."""

    async def submit(self, application: Application, *, explain: bool) -> Decision:
        """Decide on one application, maybe together with others.

        Args:
            application: Must carry its history.
            explain: Give the reasons of an approval, too.

        Raises:
            Exception: What went wrong with this application, whatever it was; those
                that were decided together with it are decided.
        """

    def compute(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decision | Exception]:
        """Decide on many at once; a row that fails has its error in its place."""


class _Waiting(msgspec.Struct, eq=False):
    """One application that has arrived, and what came of it."""

    application: Application
    explain: bool
    outcome: Decision | Exception | None = None


@types.coroutine
def end_of_turn() -> Generator[None]:
    """Let everything run that is ready in this turn of the event loop.

    This is `asyncio.sleep(0)`. A future that somebody sets would do, too, and cost
    several times as much as the wait.
    """
    yield


def _nobody(size: int, wait_seconds: float) -> None:
    """Observe nothing."""


class InProcessRunner:
    """Computes on the event loop's own thread.

    Applications that arrive in one turn of the event loop are computed together,
    by the first of them that goes on after it. One that arrives alone is computed
    at the end of that turn: it never waits for company, and after a burst nothing
    lingers.
    """

    def __init__(
        self, *, engine: DecisionEngine, decoder: RequestDecoder, model: ModelAnswer
    ) -> None:
        """Run an engine.

        Args:
            engine: Decides.
            decoder: Makes rows of applications.
            model: The engine's model and its role.

        Raises:
            ArtifactError: If the decoder's columns are not the engine's.
        """
        if decoder.names != engine.columns:
            raise ArtifactError("the requests' columns are not those of the engine")
        self.engine = engine
        self.model = model
        # Told of each computation: how many together, how long the first waited.
        self.observe: Callable[[int, float], None] = _nobody
        self._decoder = decoder
        self._waiting: list[_Waiting] = []
        self._waiting_since = 0.0

    async def submit(self, application: Application, *, explain: bool) -> Decision:
        """Decide on one application, together with those that arrive with it.

        Raises:
            Exception: What went wrong with this application, whatever it was.
            RuntimeError: If it was left undecided.
        """
        mine = _Waiting(application, explain)
        if not self._waiting:
            self._waiting_since = perf_counter()
        self._waiting.append(mine)
        try:
            await end_of_turn()
        except BaseException:  # it was cancelled, and nobody waits for it any more
            if mine.outcome is None:
                self._waiting.remove(mine)
            raise
        if mine.outcome is None:
            self._compute_with(mine)
        if isinstance(mine.outcome, Decision):
            return mine.outcome
        raise mine.outcome or RuntimeError("an application was left undecided")

    def compute(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decision | Exception]:
        """Decide on many at once; a row that fails has its error in its place."""
        if not applications:
            return []
        try:
            rows = self._decoder.rows(applications)
            return list(self.engine.decide_rows(rows, explain=explain).rows())
        except Exception as error:  # noqa: BLE001 - handed to the row it belongs to
            if len(applications) == 1:
                return [error]
        # Alone, so that the rows beside the one that fails get their decisions.
        return [
            outcome
            for application in applications
            for outcome in self.compute([application], explain=explain)
        ]

    def _compute_with(self, first: _Waiting) -> None:
        """Decide on one and on those that have arrived with it."""
        self._waiting.remove(first)
        together = [first, *self._waiting[: _MOST_TOGETHER - 1]]
        del self._waiting[: _MOST_TOGETHER - 1]
        self.observe(len(together), perf_counter() - self._waiting_since)
        for explain in (False, True):
            those = [one for one in together if one.explain is explain]
            outcomes = self.compute([o.application for o in those], explain=explain)
            for one, outcome in zip(those, outcomes, strict=True):
                one.outcome = outcome
