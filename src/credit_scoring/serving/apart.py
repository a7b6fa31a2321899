"""A runner apart from the event loop: what goes wrong there harms nobody here."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic

from credit_scoring.contract.request import Application
from credit_scoring.decision.decisions import Decision
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.serving.answers import ModelAnswer
from credit_scoring.serving.left_out import LeftOutError
from credit_scoring.serving.own_thread import OwnThread
from credit_scoring.serving.runners import Runner

_MOST_TOGETHER = 64
# After its service did not answer, a runner is asked again this much later.
_PAUSE_SECONDS = 1.0

Outcomes = list[Decision | Exception]


@dataclass(frozen=True)
class Patience:
    """How long, and with how many, a runner apart is waited for.

    Attributes:
        timeout_ms: Longest time for one application, waiting included, and for
            one part of a batch.
        most_waiting: Most applications that wait for it.
    """

    timeout_ms: int
    most_waiting: int

    @property
    def seconds(self) -> float:
        """The longest time in seconds."""
        return self.timeout_ms / 1000


@dataclass(frozen=True, slots=True)
class _Waiting:
    application: Application
    explain: bool
    decided: asyncio.Future[Decision]


class RunnerApart:
    """Lets another runner compute on a thread of its own, with bounded patience.

    Applications that arrive while it computes are computed together next. While a
    computation exceeds its time, or just after its service did not answer, the
    runner is left out at once; it is back with the first computation that ends.
    """

    def __init__(
        self,
        runner: Runner,
        patience: Patience,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Wrap a runner.

        Args:
            runner: Its ``compute`` is called on the thread.
            patience: When it is left out.
            clock: Tells the time in seconds.
        """
        self._runner = runner
        self._patience = patience
        self._clock = clock
        self._thread = OwnThread(f"credit-scoring-{runner.model.role}")
        self._waiting: list[_Waiting] = []
        self._computing = False
        self._paused_until = 0.0

    @property
    def model(self) -> ModelAnswer:
        """The model and its role, as answers name it."""
        return self._runner.model

    @property
    def engine(self) -> DecisionEngine:
        """What decides."""
        return self._runner.engine

    async def submit(self, application: Application, *, explain: bool) -> Decision:
        """Decide on one application, together with those that wait with it.

        Raises:
            LeftOutError: If there is no decision in time, or none is to be
                expected.
        """
        self._leave_out_if_stuck()
        if len(self._waiting) >= self._patience.most_waiting:
            raise LeftOutError("lagging")
        loop = asyncio.get_running_loop()
        decided: asyncio.Future[Decision] = loop.create_future()
        self._waiting.append(_Waiting(application, explain, decided))
        if not self._computing:
            self._compute_waiting()
        try:
            async with asyncio.timeout(self._patience.seconds):
                return await decided
        except TimeoutError:
            raise LeftOutError("slow") from None

    def compute(
        self, applications: Sequence[Application], *, explain: bool
    ) -> Outcomes:
        """Decide on many, part by part; called on another thread than the loop's.

        Once a part is left out, so are those after it while the reason lasts.
        """
        outcomes: Outcomes = []
        for start in range(0, len(applications), _MOST_TOGETHER):
            part = applications[start : start + _MOST_TOGETHER]
            outcomes += self._part(part, explain)
        return outcomes

    def _part(self, part: Sequence[Application], explain: bool) -> Outcomes:
        done: SimpleQueue[Outcomes] = SimpleQueue()
        try:
            self._leave_out_if_stuck()
            self._thread.run(lambda: done.put(self._outcomes(part, explain)))
            return done.get(timeout=self._patience.seconds)
        except Empty:
            return [LeftOutError("slow")] * len(part)
        except LeftOutError as error:
            return [error] * len(part)

    def _leave_out_if_stuck(self) -> None:
        if self._clock() < self._paused_until:
            raise LeftOutError("unavailable")
        if self._thread.running_seconds() > self._patience.seconds:
            raise LeftOutError("stuck")

    def _compute_waiting(self) -> None:
        # Those who were left out meanwhile are not computed any more.
        waiting = [one for one in self._waiting if not one.decided.done()]
        together = waiting[:_MOST_TOGETHER]
        self._waiting = waiting[_MOST_TOGETHER:]
        self._computing = bool(together)
        if together:
            loop = asyncio.get_running_loop()
            self._thread.run(partial(self._work, loop, together))

    def _work(self, loop: asyncio.AbstractEventLoop, together: list[_Waiting]) -> None:
        """Compute on the own thread, and hand the outcomes to the event loop."""
        settled: list[tuple[_Waiting, Decision | Exception]] = []
        for explain in (False, True):
            part = [one for one in together if one.explain is explain]
            if not part:
                continue
            outcomes = self._outcomes([one.application for one in part], explain)
            settled += zip(part, outcomes, strict=True)
        # The loop may be gone: the process ends, and nobody waits any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._settle, settled)

    def _outcomes(self, part: Sequence[Application], explain: bool) -> Outcomes:
        try:
            outcomes = self._runner.compute(part, explain=explain)
        except Exception as error:  # noqa: BLE001 - handed to those who wait
            outcomes = [error] * len(part)
        for outcome in outcomes:
            if isinstance(outcome, LeftOutError):
                self._paused_until = self._clock() + _PAUSE_SECONDS
        return outcomes

    def _settle(self, settled: list[tuple[_Waiting, Decision | Exception]]) -> None:
        for one, outcome in settled:
            if one.decided.done():
                continue  # left out meanwhile, or the client left
            if isinstance(outcome, Exception):
                one.decided.set_exception(outcome)
            else:
                one.decided.set_result(outcome)
        self._compute_waiting()
