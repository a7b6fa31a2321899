"""The ids under which decisions are found in the logs of what a request passed."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.decision_log.reader import read_decisions
from credit_scoring.serving.assembly import Models, decision_recorder, scoring_app
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.problems import Header
from credit_scoring.serving.recording import LogMetrics
from credit_scoring.serving.request_ids import request_id_of
from credit_scoring.serving.settings import Settings


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([(b"x-request-id", b"abc-1.2_X")], "abc-1.2_X"),
        ([(b"accept", b"*/*"), (b"x-request-id", b"a" * 64)], "a" * 64),
        ([(b"x-request-id", b"a" * 65)], None),
        ([(b"x-request-id", b"")], None),
        ([(b"x-request-id", b"a\n")], None),
        ([(b"x-request-id", b"a b")], None),
        ([(b"x-request-id", "é".encode())], None),
        ([(b"x-request-id", b"a"), (b"x-request-id", b"a")], None),
    ],
)
def test_an_id_is_taken_if_it_has_the_form(
    headers: list[Header], expected: str | None
) -> None:
    assert request_id_of(headers) == expected


def test_each_decision_is_recorded_with_its_request(
    models: Models,
    registry: CollectorRegistry,
    approved: dict[str, Any],
    breaking: dict[str, Any],
    tmp_path: Path,
) -> None:
    settings = Settings(decision_log_dir=str(tmp_path))
    recorder = decision_recorder(models, settings, LogMetrics(registry))
    app = scoring_app(models, settings, ServiceMetrics(registry), recorder=recorder)

    async def run() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as web:
            single = {"X-Request-Id": "r-1", "Idempotency-Key": "k"}
            for headers in (single, single, {}, {"X-Request-Id": "not one"}):
                await web.post("/predict", json=approved, headers=headers)
            rows = [approved, breaking, approved]
            await web.post("/predict/batch", json=rows, headers={"X-Request-Id": "b"})

    asyncio.run(run())
    recorder.close()
    logged = [one.entry for one in read_decisions(tmp_path)]
    assert [entry.request_id for entry in logged] == ["r-1", None, None, "b", "b"]
    assert logged[0].idempotency_key_hash is not None
