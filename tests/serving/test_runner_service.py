"""A runner's service decides as the runner does in the worker, and reads no pickle."""

import asyncio
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest

from credit_scoring.contract.request import RequestDecoder
from credit_scoring.serving.models import ModelFolder
from credit_scoring.serving.runner_service import RunnerApp, runner_app
from credit_scoring.serving.runner_wire import encoded_rows, path_of, read_outcomes
from credit_scoring.serving.runners import InProcessRunner

Ask = Callable[..., httpx.Response]

DIGEST = "d" * 64
PLAIN, EXPLAINED = (path_of(DIGEST, explain=explain) for explain in (False, True))
ROWS = {"content-type": "application/octet-stream"}


def ask(
    app: RunnerApp, path: str, body: Any, headers: dict[str, str] | None = None
) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as web:
            return await web.post(path, content=body, headers=headers or ROWS)

    return asyncio.run(run())


@pytest.fixture
def app(runner: InProcessRunner) -> RunnerApp:
    return RunnerApp(runner.engine, DIGEST)


@pytest.mark.parametrize("explain", [False, True])
def test_it_decides_as_the_runner_in_the_worker(  # noqa: PLR0913, PLR0917
    app: RunnerApp,
    runner: InProcessRunner,
    decoder: RequestDecoder,
    approved: dict[str, Any],
    declined: dict[str, Any],
    explain: bool,
) -> None:
    rows = [decoder.decode(msgspec.json.encode(r)) for r in (approved, declined) * 20]
    body = encoded_rows(decoder.rows(rows))
    answer = ask(app, EXPLAINED if explain else PLAIN, body)
    assert answer.headers["content-type"] == "application/msgpack"
    assert read_outcomes(answer.content, 40) == runner.compute(rows, explain=explain)


def test_a_row_that_it_fails_on_harms_no_other(
    app: RunnerApp, caplog: pytest.LogCaptureFixture
) -> None:
    body = encoded_rows(np.array([[100.0, 0.0], [666.0, 1.0], [100.0, 0.0]]))
    first, failed, last = read_outcomes(ask(app, PLAIN, body).content, 3)
    assert failed is None
    assert first == last
    assert first is not None
    assert first.score == 517.1
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        (path_of("e" * 64, explain=False), bytes(16), ROWS, 404),
        ("/predict", bytes(16), ROWS, 404),
        (PLAIN, bytes(15), ROWS, 400),
        (PLAIN, b"", ROWS, 400),
        (PLAIN, bytes(5_000_000), ROWS, 400),
        (PLAIN, bytes(16), {"content-type": "application/json"}, 415),
        (
            PLAIN,
            pickle.dumps([1]),
            {"content-type": "application/vnd.bentoml+pickle"},
            415,
        ),
    ],
    ids=[
        "another artifact",
        "another path",
        "torn",
        "empty",
        "too large",
        "json",
        "pickle",
    ],
)
def test_what_is_no_question_is_refused(
    app: RunnerApp, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert ask(app, path, body, headers).status_code == status


def test_a_client_that_leaves_is_not_answered(app: RunnerApp) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"path": PLAIN, "headers": []}, receive, send))
    assert not sent


def test_an_artifact_that_cannot_be_used_refuses_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = runner_app(ModelFolder(tmp_path, "credit_scoring", "1"))
    assert ask(app, PLAIN, bytes(16)).status_code == 503
    assert "this runner decides nothing: " in caplog.text
