"""Runners: champion and challenger, each computing decisions in this process."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.decisions import Decision
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.serving.answers import ModelAnswer

# More rows at once would keep other connections waiting; the rest goes into the
# next turn of the event loop.
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
        """

    def compute(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decision | Exception]:
        """Decide on many at once; a row that fails has its error in its place."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    application: Application
    explain: bool
    decided: asyncio.Future[Decision]


class InProcessRunner:
    """Computes on the event loop's own thread.

    Applications that arrive in one turn of the event loop are computed together.
    One that arrives alone is computed at the end of that turn: it never waits for
    company, and after a burst nothing lingers.
    """

    def __init__(
        self, *, engine: DecisionEngine, decoder: RequestDecoder, model: ModelAnswer
    ) -> None:
        """Run an engine.

        Args:
            engine: Decides.
            decoder: Makes columns of applications.
            model: The engine's model and its role.
        """
        self.engine = engine
        self.model = model
        self._decoder = decoder
        self._waiting: list[_Waiting] = []

    async def submit(self, application: Application, *, explain: bool) -> Decision:
        """Decide on one application, together with those that arrive with it."""
        loop = asyncio.get_running_loop()
        decided: asyncio.Future[Decision] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._compute_waiting)
        self._waiting.append(_Waiting(application, explain, decided))
        return await decided

    def compute(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decision | Exception]:
        """Decide on many at once; a row that fails has its error in its place."""
        if not applications:
            return []
        try:
            return list(self._decide(applications, explain=explain))
        except Exception as error:  # noqa: BLE001 - handed to the row it belongs to
            if len(applications) == 1:
                return [error]
        # Alone, so that the rows beside the one that fails get their decisions.
        return [
            outcome
            for application in applications
            for outcome in self.compute([application], explain=explain)
        ]

    def _decide(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decision]:
        columns = self._decoder.columns(applications)
        return self.engine.decide(columns, explain=explain).rows()

    def _compute_waiting(self) -> None:
        together = self._waiting[:_MOST_TOGETHER]
        self._waiting = self._waiting[_MOST_TOGETHER:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._compute_waiting)
        for explain in (False, True):
            self._settle([w for w in together if w.explain is explain], explain)

    def _settle(self, waiting: list[_Waiting], explain: bool) -> None:
        outcomes = self.compute([w.application for w in waiting], explain=explain)
        for one, outcome in zip(waiting, outcomes, strict=True):
            if one.decided.done():
                continue  # the client left
            if isinstance(outcome, Exception):
                one.decided.set_exception(outcome)
            else:
                one.decided.set_result(outcome)
