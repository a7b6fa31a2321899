"""The routes that decide: one application, or a batch of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from itertools import islice, repeat
from typing import Any, TypeVar

from credit_scoring.contract.bodies import Body
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
    NO_STORE,
    BodyLimits,
    Receive,
    Reply,
    Scope,
    StreamedReply,
    Wanted,
    json_reply,
    read_json_body,
    wanted,
)
from credit_scoring.serving.pressure import Gate
from credit_scoring.serving.problems import (
    ProblemError,
    invalid_request,
    too_many_rows,
)
from credit_scoring.serving.request_ids import Traces, request_id_of
from credit_scoring.serving.right_of_way import RightOfWay
from credit_scoring.serving.scoring import Scoring
from credit_scoring.serving.settings import Settings
from credit_scoring.serving.spool import read_spooled_body

_Row = Application | InvalidRequestError
_R = TypeVar("_R")

# Of a batch so many are decided on before a single application may go first.
_ROWS_TOGETHER = 32


class Predict:
    """``POST /predict``: one application, one decision."""

    def __init__(  # noqa: PLR0913 - one for each collaborator
        self,
        *,
        scoring: Scoring,
        decoder: RequestDecoder,
        settings: Settings,
        idempotency: Idempotency,
        gate: Gate,
        way: RightOfWay,
    ) -> None:
        """Answer with the scoring's decisions, each key once."""
        self._gate = gate
        self._way = way
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
        with self._way:
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
    """``POST /predict/batch``: many applications, each with its own answer.

    So many rows at a time are read, decided and sent; no more of a batch is in memory.
    """

    def __init__(
        self,
        *,
        scoring: Scoring,
        decoder: RequestDecoder,
        settings: Settings,
        gate: Gate,
        way: RightOfWay,
    ) -> None:
        """Answer with the scoring's decisions."""
        self._gate = gate
        self._way = way
        self._scoring = scoring
        self._decoder = decoder
        self._most_rows = settings.max_batch_rows
        self._rows_at_a_time = settings.batch_rows_at_a_time
        self._limits = BodyLimits(
            settings.max_batch_body_bytes, settings.body_timeout_ms
        )
        # One piece of a batch at a time, beside the event loop: the kernels release
        # the interpreter's lock, so single applications are answered meanwhile.
        self._executor: Executor = ThreadPoolExecutor(1, "credit-scoring-batch")

    async def __call__(self, scope: Scope, receive: Receive) -> Reply | StreamedReply:
        """Decide on the applications in the request's body.

        Raises:
            ProblemError: If the request is not one that this route takes.
            InvalidRequestError: If the body as a whole is no batch of its form.
            ClientLeftError: If the client left before its body was complete.
        """
        asked = wanted(scope["query_string"])
        refuse_key(scope["headers"])
        traces = Traces(request_id=request_id_of(scope["headers"]))
        body = await read_spooled_body(scope, receive, self._limits, also=OTHER_TYPES)
        form = form_of(scope["headers"])
        parts = self._parts(body, form, asked, traces)
        del body
        headers = ((b"content-type", form.content_type), NO_STORE)
        first, whole = await anext(parts)
        contents = _contents(first, parts)
        # HTTP/1.0 knows no body that comes in parts of an unknown number.
        if whole or scope["http_version"] == "1.0":
            return Reply(200, b"".join([part async for part in contents]), headers)
        return StreamedReply(contents, headers)

    async def _parts(
        self, body: Body, form: Form, asked: Wanted, traces: Traces
    ) -> AsyncGenerator[tuple[bytes, bool]]:
        """Give the parts of the answer, each with whether it is the last."""
        first, last = True, False
        with self._gate, self._way.for_a_batch():
            rows = await self._beside(self._read, body, form)
            writer = await self._beside(form.writer)
            while not last:
                chunk = await self._beside(self._take, rows)
                if first and not chunk:
                    empty = FieldError("(body)", "expected at least one application")
                    raise InvalidRequestError((empty,))
                last = len(chunk) < self._rows_at_a_time
                entries = await self._decide(chunk, asked, traces, first=first)
                write = partial(writer.write, entries, last=last)
                yield await self._beside(write), last
                first = False

    async def _beside(self, call: Callable[..., _R], *arguments: Any) -> _R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, call, *arguments)

    def _read(self, body: Body, form: Form) -> Rows:
        try:
            return form.read(body, self._decoder, self._most_rows)
        except BatchTooLongError:
            raise too_many_rows(self._most_rows) from None

    async def _decide(
        self, rows: Sequence[_Row], asked: Wanted, traces: Traces, *, first: bool
    ) -> list[BatchEntry]:
        valid, stored = await self._scoring.complete(
            [row for row in rows if isinstance(row, Application)]
        )
        decide = partial(self._decide_some, asked=asked, traces=traces, first=first)
        decided = await self._beside(decide, valid, stored)
        if not any(isinstance(one, RowProblem) for one in decided):
            self._scoring.remember(valid, stored)
        answers = iter(decided)
        return [
            _entry(next(answers) if isinstance(row, Application) else row)
            for row in rows
        ]

    def _take(self, rows: Rows) -> list[_Row]:
        chunk = []
        for row in islice(rows, self._rows_at_a_time):
            chunk.append(row)
            self._way.give()
        return chunk

    def _decide_some(
        self,
        valid: Sequence[Application],
        stored: Collection[int],
        *,
        asked: Wanted,
        traces: Traces,
        first: bool,
    ) -> list[BatchEntry | Exception]:
        answers: list[BatchEntry | Exception] = []
        for start in range(0, len(valid), _ROWS_TOGETHER):
            self._way.give()
            some = valid[start : start + _ROWS_TOGETHER]
            try:
                answers += self._scoring.decide_many(
                    some,
                    explain=asked.reasons,
                    interval=asked.interval,
                    stored={place - start for place in stored},
                    traces=traces,
                )
            except ProblemError as error:
                if first and not answers:
                    raise
                # Others are decided on: it can only be told row by row.
                answers += repeat(RowProblem(error.problem), len(some))
        return answers


async def _contents(
    first: bytes, parts: AsyncGenerator[tuple[bytes, bool]]
) -> AsyncGenerator[bytes]:
    async with aclosing(parts):
        yield first
        async for content, _ in parts:
            yield content


def _entry(outcome: BatchEntry | Exception) -> BatchEntry:
    if isinstance(outcome, InvalidRequestError):
        return RowProblem(invalid_request(outcome.errors))
    if isinstance(outcome, Exception):
        return RowProblem(report_incident(outcome))
    return outcome
