"""``POST /outcomes``: what became of loans, kept before it is answered."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from credit_scoring import __version__
from credit_scoring.contract.model import Contract
from credit_scoring.decision_log.records import Origin, OutcomeEntry
from credit_scoring.decision_log.writer import DecisionLog, LogParameters
from credit_scoring.errors import DecisionLogError, FieldError, InvalidRequestError
from credit_scoring.outcomes.rows import read_outcome
from credit_scoring.serving.answers import RowProblem, now
from credit_scoring.serving.messages import (
    BodyLimits,
    Receive,
    Reply,
    Scope,
    json_reply,
    ndjson_reply,
    read_json_body,
)
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.pressure import Gate
from credit_scoring.serving.problems import (
    invalid_parameter,
    invalid_request,
    outcome_not_recorded,
    too_many_rows,
)
from credit_scoring.serving.settings import Settings

NDJSON = b"application/x-ndjson"


class OutcomeRecorded(msgspec.Struct, frozen=True, gc=False):
    """An outcome is kept; whether it fits a decision is seen when they are joined."""

    recorded: bool
    received_at: datetime


def outcome_log(contract: Contract, settings: Settings) -> DecisionLog:
    """Open the log of outcomes as the settings say; no file is touched yet.

    It waits for the disk in any case: an outcome that is lost is not reported again,
    and nobody waits for the answer.
    """
    origin = Origin(__version__, contract.digest, inputs=(), models=())
    parameters = LogParameters(
        segment_bytes=settings.decision_log_segment_bytes,
        retention_months=settings.decision_log_retention_months,
        fsync=True,
    )
    return DecisionLog(Path(settings.outcomes_dir), origin, parameters)


class Outcomes:
    """Takes outcomes: one, an array, or one on each line."""

    def __init__(
        self,
        *,
        log: DecisionLog,
        settings: Settings,
        metrics: ServiceMetrics,
        gate: Gate,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Keep outcomes in a log, and count them."""
        self._log = log
        self._metrics = metrics
        self._gate = gate
        self._clock = clock
        self._most_rows = settings.max_batch_rows
        self._limits = BodyLimits(
            settings.max_batch_body_bytes, settings.body_timeout_ms
        )
        self._executor = ThreadPoolExecutor(1, "credit-scoring-outcomes")

    async def __call__(self, scope: Scope, receive: Receive) -> Reply:
        """Keep the outcomes in the request's body.

        Raises:
            ProblemError: If the request is not one that this route takes, or its
                outcomes could not be kept.
            InvalidRequestError: If the body is no outcome, or a single one is wrong.
            ClientLeftError: If the client left before its body was complete.
        """
        if scope["query_string"]:
            raise invalid_parameter("there is no parameter")
        body = await read_json_body(scope, receive, self._limits, also=(NDJSON,))
        lines = any(
            name == b"content-type" and value.lower().startswith(NDJSON)
            for name, value in scope["headers"]
        )
        loop = asyncio.get_running_loop()
        with self._gate:
            return await loop.run_in_executor(self._executor, self._answer, body, lines)

    def close(self) -> None:
        """Close the log's segment; the last request is answered."""
        self._executor.shutdown()
        self._log.close()

    def _answer(self, body: bytes, lines: bool) -> Reply:
        if lines:
            rows = [_parsed(line) for line in body.splitlines() if line.strip()]
            return ndjson_reply(self._kept(rows))
        parsed = _parsed(body)
        if isinstance(parsed, list):
            return json_reply(self._kept(parsed))
        received_at = self._clock()
        read = _read(parsed, received_at)
        if not isinstance(read, OutcomeEntry):
            self._metrics.count_outcomes("rejected", 1)
            raise InvalidRequestError(tuple(read))
        self._append([read])
        return json_reply(OutcomeRecorded(recorded=True, received_at=received_at))

    def _kept(self, rows: Sequence[Any]) -> list[OutcomeRecorded | RowProblem]:
        if not rows:
            empty = FieldError("(body)", "expected at least one outcome")
            raise InvalidRequestError((empty,))
        if len(rows) > self._most_rows:
            raise too_many_rows(self._most_rows)
        received_at = self._clock()
        read = [_read(row, received_at) for row in rows]
        entries = [one for one in read if isinstance(one, OutcomeEntry)]
        if entries:
            self._append(entries)
        self._metrics.count_outcomes("rejected", len(read) - len(entries))
        kept = OutcomeRecorded(recorded=True, received_at=received_at)
        return [
            kept if isinstance(one, OutcomeEntry) else RowProblem(invalid_request(one))
            for one in read
        ]

    def _append(self, entries: list[OutcomeEntry]) -> None:
        try:
            self._log.append(entries)
        except DecisionLogError:
            self._metrics.count_outcomes("refused", len(entries))
            raise outcome_not_recorded() from None
        self._metrics.count_outcomes("recorded", len(entries))


class _NotJson:
    """Stands for what is no JSON."""


def _parsed(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NotJson()


def _read(row: Any, received_at: datetime) -> OutcomeEntry | list[FieldError]:
    if isinstance(row, _NotJson):
        return [FieldError("(body)", "not valid JSON in UTF-8")]
    return read_outcome(row, received_at)
