"""A runner in a service of its own, as a worker sees it: bounded, or left out."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as WaitedTooLongError
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.decisions import Decision
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.errors import CreditScoringError
from credit_scoring.serving.answers import ModelAnswer
from credit_scoring.serving.apart import Patience
from credit_scoring.serving.left_out import Kind, LeftOutError
from credit_scoring.serving.runner_channel import RunnerChannel
from credit_scoring.serving.runner_metrics import RunnerMetrics
from credit_scoring.serving.runner_wire import (
    WireError,
    encoded_rows,
    path_of,
    read_outcomes,
)
from credit_scoring.serving.runners import Runner

_LOG = logging.getLogger(__name__)

_MOST_TOGETHER = 64
# One is computed while the next is on its way.
_MOST_CALLS = 2
_FIRST_PROBE_SECONDS = 0.1
_LONGEST_BETWEEN_PROBES_SECONDS = 2.0

Outcomes = list[Decision | Exception]


class RowFailedError(CreditScoringError):
    """The runner failed on this row; its own log says where."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    application: Application
    explain: bool
    decided: asyncio.Future[Decision]


class RemoteRunner:
    """Lets a service compute; applications that come together go there together.

    One that comes alone is sent at the end of its turn of the event loop. After a
    call that came to nothing the service is away: nobody waits for it, until a
    probe, sent every now and then, is decided in time.
    """

    def __init__(
        self,
        runner: Runner,
        decoder: RequestDecoder,
        channel: RunnerChannel,
        *,
        patience: Patience,
        metrics: RunnerMetrics,
    ) -> None:
        """Stand for a service. It is away until `start` has found it.

        Args:
            runner: The same model in this process; it says what the model is.
            decoder: Makes rows of applications.
            channel: Leads to the service.
            patience: Longest time for a call and for an application, and how many
                may wait.
            metrics: Counts the calls.
        """
        self._runner = runner
        self._decoder = decoder
        self._channel = channel
        self._patience = patience
        self._metrics = metrics
        self._digest = runner.model.digest
        self._waiting: list[_Waiting] = []
        self._sending = False
        self._calls: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._away = True
        self._probing: asyncio.Task[None] | None = None
        self._probe_row = np.zeros((1, len(runner.engine.columns)))

    @property
    def model(self) -> ModelAnswer:
        """The model and its role, as answers name it."""
        return self._runner.model

    @property
    def engine(self) -> DecisionEngine:
        """What decides, as it is in this process."""
        return self._runner.engine

    @property
    def is_away(self) -> bool:
        """Whether nothing is asked of the service now."""
        return self._away

    async def start(self, probe: Application, *, wait_seconds: float) -> None:
        """Look for the service, in the event loop that answers.

        Args:
            probe: Decided on to see whether the service does.
            wait_seconds: Longest wait for it; it is found later, too.
        """
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._probe_row = self._decoder.rows([probe])
        self._metrics.away(self.model.role, True)
        self._probing = self._loop.create_task(self._probe_until_back())
        await asyncio.wait([self._probing], timeout=wait_seconds)

    async def close(self) -> None:
        """Ask nothing any more; the last request is answered."""
        self._away = True
        for task in (self._probing, *self._calls):
            if task is not None:
                task.cancel()
        self._channel.close()

    async def submit(self, application: Application, *, explain: bool) -> Decision:
        """Decide on one application, together with those that wait with it.

        Raises:
            LeftOutError: If there is no decision in time, or none is to be
                expected.
            RowFailedError: If the runner failed on this application.
        """
        if self._away:
            raise LeftOutError("unavailable")
        if len(self._waiting) >= self._patience.most_waiting:
            raise LeftOutError("lagging")
        loop = asyncio.get_running_loop()
        decided: asyncio.Future[Decision] = loop.create_future()
        self._waiting.append(_Waiting(application, explain, decided))
        if not self._sending and len(self._calls) < _MOST_CALLS:
            self._sending = True
            loop.call_soon(self._send)
        try:
            async with asyncio.timeout(self._patience.seconds):
                return await decided
        except TimeoutError:
            raise LeftOutError("slow") from None

    def compute(
        self, applications: Sequence[Application], *, explain: bool
    ) -> Outcomes:
        """Decide on many, part by part; called on another thread than the loop's."""
        outcomes: Outcomes = []
        for start in range(0, len(applications), _MOST_TOGETHER):
            part = applications[start : start + _MOST_TOGETHER]
            try:
                outcomes += self._wait_for(part, explain)
            except LeftOutError as error:
                outcomes += [error] * len(part)
        return outcomes

    def _wait_for(self, part: Sequence[Application], explain: bool) -> Outcomes:
        loop = self._loop
        # On the loop's own thread nobody would be left to do what is waited for.
        here = threading.get_ident() == self._thread
        if loop is None or loop.is_closed() or here or self._away:
            raise LeftOutError("unavailable")
        asked = asyncio.run_coroutine_threadsafe(self._outcomes(part, explain), loop)
        try:
            # The call ends by itself; this is for a loop that stands still.
            return asked.result(2 * self._patience.seconds)
        except WaitedTooLongError:
            asked.cancel()
            raise LeftOutError("slow") from None
        except CancelledError:
            raise LeftOutError("unavailable") from None

    def _send(self) -> None:
        """Send what waits, as far as calls are free."""
        self._sending = False
        while self._waiting and len(self._calls) < _MOST_CALLS:
            # Those who were left out meanwhile are not computed any more.
            waiting = [one for one in self._waiting if not one.decided.done()]
            explain = bool(waiting) and waiting[0].explain
            alike = [one for one in waiting if one.explain is explain]
            together = alike[:_MOST_TOGETHER]
            taken = set(map(id, together))
            self._waiting = [one for one in waiting if id(one) not in taken]
            if together:
                task = asyncio.ensure_future(self._call(together, explain))
                self._calls.add(task)
                task.add_done_callback(self._called)

    def _called(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        if not task.cancelled():
            self._send()

    async def _call(self, together: list[_Waiting], explain: bool) -> None:
        try:
            part = [one.application for one in together]
            outcomes = await self._outcomes(part, explain)
        except Exception as error:  # noqa: BLE001 - handed to those who wait
            outcomes = [error] * len(together)
        for one, outcome in zip(together, outcomes, strict=True):
            if one.decided.done():
                continue  # left out meanwhile, or the client left
            if isinstance(outcome, Exception):
                one.decided.set_exception(outcome)
            else:
                one.decided.set_result(outcome)

    async def _outcomes(self, part: Sequence[Application], explain: bool) -> Outcomes:
        try:
            decided = await self._ask(self._decoder.rows(part), explain=explain)
        except LeftOutError as error:
            self._leave(error.kind)
            raise
        return [RowFailedError() if one is None else one for one in decided]

    async def _ask(
        self, rows: NDArray[np.float64], *, explain: bool
    ) -> list[Decision | None]:
        role = self.model.role
        kind: Kind = "unavailable"
        started = perf_counter()
        try:
            async with asyncio.timeout(self._patience.seconds):
                path = path_of(self._digest, explain=explain)
                answer = await self._channel.ask(path, encoded_rows(rows))
            decided = read_outcomes(answer, len(rows))
        except TimeoutError:
            kind = "slow"
        except (OSError, WireError) as error:
            _LOG.debug("the service of the %s: %s", role, type(error).__name__)
        else:
            self._metrics.called(role, len(rows), perf_counter() - started)
            return decided
        self._metrics.failed(role, kind)
        raise LeftOutError(kind)

    def _leave(self, kind: Kind) -> None:
        """Ask nothing of the service until a probe succeeds."""
        if self._away:
            return
        self._away = True
        self._metrics.away(self.model.role, True)
        _LOG.warning("the service of the %s is away: %s", self.model.role, kind)
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.decided.done():
                one.decided.set_exception(LeftOutError("unavailable"))
        self._channel.close()
        self._probing = asyncio.ensure_future(self._probe_until_back())

    async def _probe_until_back(self) -> None:
        pause = _FIRST_PROBE_SECONDS
        while True:
            try:
                (decided,) = await self._ask(self._probe_row, explain=True)
            except LeftOutError:
                decided = None
            if decided is not None:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_BETWEEN_PROBES_SECONDS)
        self._away = False
        self._metrics.away(self.model.role, False)
        _LOG.warning("the service of the %s decides from now on", self.model.role)


class ChampionApart:
    """The champion in a service of its own; without that, this process computes."""

    def __init__(
        self, there: RemoteRunner, here: Runner, metrics: RunnerMetrics
    ) -> None:
        """Ask there, or compute here.

        Args:
            there: In its service.
            here: The same model in this process.
            metrics: Counts what was computed here.
        """
        self._there = there
        self._here = here
        self._metrics = metrics

    @property
    def model(self) -> ModelAnswer:
        """The model and its role, as answers name it."""
        return self._here.model

    @property
    def engine(self) -> DecisionEngine:
        """What decides."""
        return self._here.engine

    async def submit(self, application: Application, *, explain: bool) -> Decision:
        """Decide on one application, wherever it can be decided."""
        try:
            return await self._there.submit(application, explain=explain)
        except LeftOutError as error:
            self._metrics.computed_here(error.kind)
        except RowFailedError:
            self._metrics.computed_here("failed")
        return await self._here.submit(application, explain=explain)

    def compute(
        self, applications: Sequence[Application], *, explain: bool
    ) -> Outcomes:
        """Decide on many; called on another thread than the event loop's."""
        outcomes = self._there.compute(applications, explain=explain)
        left = [n for n, one in enumerate(outcomes) if isinstance(one, Exception)]
        if not left:
            return outcomes
        for place in left:
            error = outcomes[place]
            kind = error.kind if isinstance(error, LeftOutError) else "failed"
            self._metrics.computed_here(kind)
        ours = self._here.compute([applications[n] for n in left], explain=explain)
        for place, outcome in zip(left, ours, strict=True):
            outcomes[place] = outcome
        return outcomes
