"""The routes that decide: one application, or a batch of them."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.errors import BatchTooLongError, FieldError, InvalidRequestError
from credit_scoring.serving.answers import BatchEntry, RowProblem
from credit_scoring.serving.forms import OTHER_TYPES, Form, Rows, form_of
from credit_scoring.serving.idempotency import (
    Idempotency,
    asked_for,
    key_of,
    refuse_key,
)
from credit_scoring.serving.incidents import report_incident
from credit_scoring.serving.messages import (
    BodyLimits,
    Receive,
    Reply,
    Scope,
    Wanted,
    json_reply,
    read_json_body,
    wanted,
)
from credit_scoring.serving.pressure import Gate
from credit_scoring.serving.problems import invalid_request, too_many_rows
from credit_scoring.serving.request_ids import Traces, request_id_of
from credit_scoring.serving.scoring import Scoring
from credit_scoring.serving.settings import Settings


class Predict:
    """``POST /predict``: one application, one decision."""

    def __init__(
        self,
        *,
        scoring: Scoring,
        decoder: RequestDecoder,
        settings: Settings,
        idempotency: Idempotency,
        gate: Gate,
    ) -> None:
        """Answer with the scoring's decisions, each key once."""
        self._gate = gate
        self._scoring = scoring
        self._decoder = decoder
        self._idempotency = idempotency
        self._limits = BodyLimits(settings.max_body_bytes, settings.body_timeout_ms)

    async def __call__(self, scope: Scope, receive: Receive) -> Reply:
        """Decide on the application in the request's body.

        Raises:
            ProblemError: If the request is not one that this route takes.
            InvalidRequestError: If the application breaks the contract.
            ClientLeftError: If the client left before its body was complete.
        """
        explain, interval = wanted(scope["query_string"])
        key = key_of(scope["headers"])
        traces = Traces(request_id=request_id_of(scope["headers"]))
        body = await read_json_body(scope, receive, self._limits)
        with self._gate:
            if key is None:
                return await self._decide(body, explain, interval, traces)
            asked = asked_for(key, body, explain=explain, interval=interval)
            traces = traces._replace(idempotency_key_hash=asked.name.hex())
            decide = partial(self._decide, body, explain, interval, traces)
            return await self._idempotency.answer(asked, decide)

    async def _decide(
        self, body: bytes, explain: bool, interval: bool, traces: Traces
    ) -> Reply:
        application = self._decoder.decode(body)
        answer = await self._scoring.decide(
            application, explain=explain, interval=interval, traces=traces
        )
        return json_reply(answer)


class PredictBatch:
    """``POST /predict/batch``: many applications, each with its own answer."""

    def __init__(
        self,
        *,
        scoring: Scoring,
        decoder: RequestDecoder,
        settings: Settings,
        gate: Gate,
    ) -> None:
        """Answer with the scoring's decisions."""
        self._gate = gate
        self._scoring = scoring
        self._decoder = decoder
        self._most_rows = settings.max_batch_rows
        self._limits = BodyLimits(
            settings.max_batch_body_bytes, settings.body_timeout_ms
        )
        # One batch at a time, beside the event loop: the kernels release the
        # interpreter's lock, so single applications are answered meanwhile.
        self._executor: Executor = ThreadPoolExecutor(1, "credit-scoring-batch")

    async def __call__(self, scope: Scope, receive: Receive) -> Reply:
        """Decide on the applications in the request's body.

        Raises:
            ProblemError: If the request is not one that this route takes.
            InvalidRequestError: If the body as a whole is no batch of its form.
            ClientLeftError: If the client left before its body was complete.
        """
        asked = wanted(scope["query_string"])
        refuse_key(scope["headers"])
        traces = Traces(request_id=request_id_of(scope["headers"]))
        body = await read_json_body(scope, receive, self._limits, also=OTHER_TYPES)
        form = form_of(scope["headers"])
        loop = asyncio.get_running_loop()
        with self._gate:
            rows = await loop.run_in_executor(self._executor, self._decode, body, form)
            valid, stored = await self._scoring.complete(
                [row for row in rows if isinstance(row, Application)]
            )
            decide = partial(
                self._answer, rows, valid, asked=asked, stored=stored, traces=traces
            )
            entries = await loop.run_in_executor(self._executor, decide)
            reply = await loop.run_in_executor(self._executor, form.write, entries)
            self._scoring.remember(valid, stored)
            return reply

    def _decode(self, body: bytes, form: Form) -> Rows:
        try:
            rows = form.read(body, self._decoder, self._most_rows)
        except BatchTooLongError:
            raise too_many_rows(self._most_rows) from None
        if not rows:
            empty = FieldError("(body)", "expected at least one application")
            raise InvalidRequestError((empty,))
        return rows

    def _answer(
        self,
        rows: Sequence[Application | InvalidRequestError],
        valid: Sequence[Application],
        *,
        asked: Wanted,
        stored: frozenset[int],
        traces: Traces,
    ) -> list[BatchEntry]:
        answers = iter(
            self._scoring.decide_many(
                valid,
                explain=asked.reasons,
                interval=asked.interval,
                stored=stored,
                traces=traces,
            )
        )
        return [
            _entry(next(answers) if isinstance(row, Application) else row)
            for row in rows
        ]


def _entry(outcome: BatchEntry | Exception) -> BatchEntry:
    if isinstance(outcome, InvalidRequestError):
        return RowProblem(invalid_request(outcome.errors))
    if isinstance(outcome, Exception):
        return RowProblem(report_incident(outcome))
    return outcome
