"""Recording: each decision is in the decision log before its answer leaves."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import UNSET

from credit_scoring import __version__
from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import Application
from credit_scoring.decision.decisions import Decision, Reason
from credit_scoring.decision_log.records import (
    DecidingModel,
    DecisionEntry,
    LoggedInterval,
    LoggedModel,
    LoggedReason,
    Origin,
    ShadowEntry,
    sayable,
)
from credit_scoring.decision_log.writer import DecisionLog, LogParameters
from credit_scoring.errors import DecisionLogError
from credit_scoring.serving.answers import DecisionAnswer, ModelAnswer
from credit_scoring.serving.problems import decision_not_recorded
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.request_ids import UNTRACED, Traces
from credit_scoring.serving.runners import Runner, end_of_turn
from credit_scoring.serving.settings import Settings
from credit_scoring.serving.shadow import ShadowDecision

# Of a batch so many are written at once: meanwhile single ones wait.
_MOST_TOGETHER = 256
_FEW_TOGETHER = 32


class Answered(NamedTuple):
    """A decision that is about to be answered.

    Attributes:
        application: What was asked; with the history that was decided on, if
            there was one.
        decision: What the runner gave.
        answer: What is to be sent.
        arm: What routing drew for this applicant.
        explained: Whether the reasons of an approval were asked for, too.
        traces: What ties it to its request.
    """

    application: Application
    decision: Decision
    answer: DecisionAnswer
    arm: str
    explained: bool
    traces: Traces = UNTRACED


class Recorder(Protocol):
    """Keeps decisions before they are answered."""

    async def record(self, answered: Answered) -> None:
        """Keep one decision.

        Raises:
            ProblemError: If it could not be kept; then it must not be answered.
        """

    def record_many(self, answered: Sequence[Answered]) -> None:
        """Keep many decisions; may be called in another thread.

        Raises:
            ProblemError: If one could not be kept; then none may be answered.
        """

    def record_shadows(self, decisions: Sequence[ShadowDecision]) -> None:
        """Keep what the challenger would have decided; called in another thread.

        What cannot be kept is counted.
        """


class Unrecorded:
    """Keeps nothing: for documentation and tests."""

    async def record(self, answered: Answered) -> None:
        """Do nothing."""

    def record_many(self, answered: Sequence[Answered]) -> None:
        """Do nothing."""

    def record_shadows(self, decisions: Sequence[ShadowDecision]) -> None:
        """Do nothing."""


class _Unwritten(msgspec.Struct, eq=False):
    """A decision that waits for those that come in the same turn."""

    entry: DecisionEntry
    written: bool = False
    error: Exception | None = None


class LogRecorder:
    """Writes decisions to the decision log.

    One that comes alone is written at once. Where several come in one turn of the
    event loop, those of each turn are written together, at its end. When each
    write waits for the disk, those that come meanwhile are written together,
    beside the event loop.
    """

    def __init__(
        self, log: DecisionLog, contract: Contract, metrics: LogMetrics, *, fsync: bool
    ) -> None:
        """Write to a log.

        Args:
            log: Takes the decisions.
            contract: Names the inputs to keep.
            metrics: Counts them.
            fsync: Whether each write to the log waits for the disk.
        """
        names = contract.input_names
        self._log = log
        self._metrics = metrics
        self._values = _values_of(names)
        self._inputs = msgspec.defstruct(
            "Inputs", [(name, Any, UNSET) for name in names], frozen=True, gc=False
        )
        self._models: dict[str, LoggedModel] = {}
        self._executor = ThreadPoolExecutor(1, "credit-scoring-log") if fsync else None
        self._waiting: list[tuple[DecisionEntry, asyncio.Future[None]]] = []
        self._unwritten: list[_Unwritten] = []
        self._in_company = False
        self._written_in_turn = False
        self._writing: asyncio.Task[None] | None = None

    async def record(self, answered: Answered) -> None:
        """Write one decision.

        Raises:
            ProblemError: If it could not be written.
        """
        entry = self._entry(answered)
        if self._executor is not None:
            await self._write_beside(entry, self._executor)
        elif self._in_company or self._written_in_turn:
            await self._write_in_company(entry)
        else:
            self._written_in_turn = True
            asyncio.get_running_loop().call_soon(self._end_turn)
            self._append([entry])

    def record_many(self, answered: Sequence[Answered]) -> None:
        """Write many decisions.

        Raises:
            ProblemError: If one could not be written.
        """
        # Who records one application meanwhile waits in the event loop, unless the disk
        # is waited for beside it.
        most = _FEW_TOGETHER if self._executor is None else _MOST_TOGETHER
        for start in range(0, len(answered), most):
            part = answered[start : start + most]
            self._append([self._entry(one) for one in part])

    def record_shadows(self, decisions: Sequence[ShadowDecision]) -> None:
        """Write what the challenger would have decided, if there is room for it."""
        entries = [
            ShadowEntry(
                decision_id=one.answer.decision_id,
                scored_at=one.answer.scored_at,
                margin=one.challenger.margin,
                pd=one.challenger.pd,
                score=one.challenger.score,
                band=one.challenger.band,
                decision=one.challenger.decision,
                reasons=_logged(one.challenger.reasons),
                model=self._model(one.runner.model),
                policy_version=one.runner.engine.policy_version,
            )
            for one in decisions
        ]
        try:
            self._log.append_shadows(entries)
        except DecisionLogError:
            self._metrics.count_shadow_errors(len(entries))
        else:
            self._metrics.count_shadows(len(entries))

    def close(self) -> None:
        """Close the segment; nothing may be waiting."""
        if self._executor is not None:
            self._executor.shutdown()
        self._log.close()

    def _end_turn(self) -> None:
        self._written_in_turn = False

    async def _write_in_company(self, entry: DecisionEntry) -> None:
        """Wait for the end of the turn; the first to go on writes for all."""
        mine = _Unwritten(entry)
        self._in_company = True
        self._unwritten.append(mine)
        try:
            await end_of_turn()
        except BaseException:  # it was cancelled: nobody is there to be answered
            if not mine.written:
                self._unwritten.remove(mine)
            raise
        if not mine.written:
            self._write_together()
        if mine.error is not None:
            raise mine.error

    def _write_together(self) -> None:
        together, self._unwritten = self._unwritten, []
        self._in_company = len(together) > 1
        error: Exception | None = None
        try:
            self._append([one.entry for one in together])
        except Exception as raised:  # noqa: BLE001 - handed to those who wait
            error = raised
        for one in together:
            one.written, one.error = True, error

    async def _write_beside(
        self, entry: DecisionEntry, executor: ThreadPoolExecutor
    ) -> None:
        """Wait for the disk beside the event loop, with those that come meanwhile."""
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        self._waiting.append((entry, written))
        if self._writing is None:
            self._writing = loop.create_task(self._write_meanwhile(executor))
        await written

    async def _write_meanwhile(self, executor: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            together, self._waiting = self._waiting, []
            entries = [entry for entry, _ in together]
            error: Exception | None = None
            try:
                await loop.run_in_executor(executor, self._append, entries)
            except Exception as raised:  # noqa: BLE001 - handed to those who wait
                error = raised
            _tell(together, error)
        self._writing = None

    def _append(self, entries: list[DecisionEntry]) -> None:
        try:
            self._log.append(entries)
        except DecisionLogError:
            self._metrics.count_errors(len(entries))
            raise decision_not_recorded() from None
        self._metrics.count_records(
            len(entries), entries[0].scored_at, self._log.segment_bytes
        )

    def _entry(self, answered: Answered) -> DecisionEntry:
        application, decision, answer, arm, explained, traces = answered
        features, interval = decision.features, answer.pd_interval
        return DecisionEntry(
            decision_id=answer.decision_id,
            loan_id=answer.loan_id,
            scored_at=answer.scored_at,
            arm=arm,
            feature_source=answer.feature_source,
            explained=explained,
            inputs=self._inputs(*self._values(application)),
            features=None if features is None else sayable(features),
            margin=decision.margin,
            pd=answer.pd,
            score=answer.score,
            band=answer.band,
            decision=answer.decision,
            reasons=_logged(answer.reasons),
            model=self._model(answer.model),
            policy_version=answer.policy_version,
            idempotency_key_hash=traces.idempotency_key_hash,
            pd_interval=LoggedInterval(interval.low, interval.high, interval.level)
            if interval
            else None,
            request_id=traces.request_id,
        )

    def _model(self, model: ModelAnswer) -> LoggedModel:
        logged = self._models.get(model.digest)
        if logged is None or logged.role != model.role:
            logged = LoggedModel(model.name, model.version, model.role, model.digest)
            self._models[model.digest] = logged
        return logged


def _logged(reasons: Sequence[Reason]) -> list[LoggedReason]:
    return [
        LoggedReason(reason.code, reason.feature, reason.points) for reason in reasons
    ]


def _tell(
    waiting: list[tuple[DecisionEntry, asyncio.Future[None]]], error: Exception | None
) -> None:
    for _, written in waiting:
        if written.done():
            continue  # the client left
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)


def _values_of(names: tuple[str, ...]) -> Callable[[Application], tuple[Any, ...]]:
    if len(names) == 1:
        return lambda application: (getattr(application, names[0]),)
    return attrgetter(*names)


def log_recorder(
    contract: Contract,
    runners: Sequence[Runner],
    settings: Settings,
    metrics: LogMetrics,
) -> LogRecorder:
    """Keep the decisions of runners as the settings say; no file is touched yet."""
    origin = Origin(
        service_version=__version__,
        contract_digest=contract.digest,
        inputs=contract.input_names,
        models=tuple(_deciding(runner) for runner in runners),
    )
    parameters = LogParameters(
        segment_bytes=settings.decision_log_segment_bytes,
        retention_months=settings.decision_log_retention_months,
        fsync=settings.decision_log_fsync,
    )
    log = DecisionLog(Path(settings.decision_log_dir), origin, parameters)
    return LogRecorder(log, contract, metrics, fsync=parameters.fsync)


def _deciding(runner: Runner) -> DecidingModel:
    model = runner.model
    return DecidingModel(
        name=model.name,
        version=model.version,
        role=model.role,
        digest=model.digest,
        policy_version=runner.engine.policy_version,
        features=runner.engine.features.names,
    )
