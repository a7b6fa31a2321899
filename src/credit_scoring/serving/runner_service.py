"""The other side of a runner in a service of its own: an artifact that decides."""

import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus

import numpy as np
from numpy.typing import NDArray

from credit_scoring.decision.decisions import Decision
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.errors import ArtifactError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.serving.left_out import LeftOutLog
from credit_scoring.serving.messages import Receive, Reply, Scope, Send, send_reply
from credit_scoring.serving.models import ModelFolder
from credit_scoring.serving.runner_wire import (
    OUTCOMES_TYPE,
    ROWS_TYPE,
    WireError,
    encoded_outcomes,
    path_of,
    read_rows,
)

_LOG = logging.getLogger(__name__)
# Several times what a worker sends at once.
_LARGEST_BODY_BYTES = 4 * 1024**2


class RunnerApp:
    """Answers the questions of ``runner_wire``, and nothing else."""

    def __init__(self, engine: DecisionEngine | None, digest: str) -> None:
        """Offer an engine.

        Args:
            engine: Decides, warmed up; None if its artifact cannot be used.
            digest: SHA-256 of the artifact.
        """
        self._engine = engine
        self._failed = LeftOutLog("an application")
        self._explain = {
            path_of(digest, explain=explain): explain for explain in (False, True)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = await _body(receive)
        if body is not None:
            await send_reply(send, self._answer(scope, body))

    def _answer(self, scope: Scope, body: bytes) -> Reply:
        engine, explain = self._engine, self._explain.get(scope["path"])
        if engine is None:
            return _refused(HTTPStatus.SERVICE_UNAVAILABLE)
        if explain is None:
            return _refused(HTTPStatus.NOT_FOUND)
        if (b"content-type", ROWS_TYPE) not in scope["headers"]:
            return _refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            rows = read_rows(body, len(engine.columns))
        except WireError:
            return _refused(HTTPStatus.BAD_REQUEST)
        outcomes = decided_rows(engine, rows, explain=explain, failed=self._failed.add)
        headers = ((b"content-type", OUTCOMES_TYPE),)
        return Reply(HTTPStatus.OK, encoded_outcomes(outcomes), headers)


def decided_rows(
    engine: DecisionEngine,
    rows: NDArray[np.float64],
    *,
    explain: bool,
    failed: Callable[[Exception], None],
) -> Sequence[Decision | None]:
    """Decide on rows; None in the place of one that the engine fails on.

    Args:
        engine: Decides.
        rows: Shape (n, n_columns), n at least 1.
        explain: Give the reasons of approvals, too.
        failed: Told the error of each row that the engine fails on.
    """
    try:
        return engine.decide_rows(rows, explain=explain).rows()
    except Exception as error:  # noqa: BLE001 - the other rows get their decisions
        if len(rows) == 1:
            failed(error)
            return [None]
    outcomes: list[Decision | None] = []
    for place in range(len(rows)):
        row = rows[place : place + 1]
        outcomes += decided_rows(engine, row, explain=explain, failed=failed)
    return outcomes


def runner_app(model: ModelFolder) -> RunnerApp:
    """Load and warm up a model; one that cannot be used refuses every question.

    Its service stays: started again and again it would fail again and again.
    """
    try:
        artifact = load_artifact(model.folder, compiled=True)
    except ArtifactError as error:
        _LOG.error("this runner decides nothing: %s", error)
        return RunnerApp(None, "")
    artifact.warm_up()
    return RunnerApp(artifact.engine, artifact.digest)


async def _body(receive: Receive) -> bytes | None:
    """Read a request's body; None if the client left or sends too much."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > _LARGEST_BODY_BYTES:
            return b""  # no question
        if not message.get("more_body", False):
            return b"".join(chunks)


def _refused(status: HTTPStatus) -> Reply:
    return Reply(status, b"", ())
