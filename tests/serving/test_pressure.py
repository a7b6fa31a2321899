"""Back-pressure: a bounded number waits, the others are told at once."""

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.decision.decisions import Decision
from credit_scoring.serving.app import FrontDoor, ScoringApp
from credit_scoring.serving.assembly import Models, scoring_app
from credit_scoring.serving.local_server import HOST
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.pressure import Gate, PressureMetrics
from credit_scoring.serving.problems import ProblemError
from credit_scoring.serving.runners import InProcessRunner
from credit_scoring.serving.settings import Settings

from .conftest import no_lifespan


class SlowRunner(InProcessRunner):
    """Takes its time for each application, as a runner elsewhere may."""

    seconds = 0.1

    async def submit(self, application: Any, *, explain: bool) -> Decision:
        await asyncio.sleep(self.seconds)
        return await super().submit(application, explain=explain)

    def compute(self, applications: Any, *, explain: bool) -> Any:
        if len(applications) > 1:
            time.sleep(self.seconds)
        return super().compute(applications, explain=explain)


@pytest.fixture
def slow(runner: InProcessRunner) -> SlowRunner:
    runner.__class__ = SlowRunner
    assert isinstance(runner, SlowRunner)
    return runner


@pytest.fixture
def slow_app(
    models: Models,
    settings: Settings,
    registry: CollectorRegistry,
    slow: SlowRunner,
) -> ScoringApp:
    narrow = settings.model_copy(update={"max_waiting": 4, "max_waiting_batches": 2})
    return scoring_app(models, narrow, ServiceMetrics(registry))


def ask_at_once(
    app: ScoringApp, number: int, path: str, body: Any
) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test"
        ) as client:
            return await asyncio.gather(
                *(client.post(path, json=body) for _ in range(number))
            )

    return asyncio.run(run())


@pytest.mark.parametrize(("path", "most"), [("/predict", 4), ("/predict/batch", 2)])
def test_those_over_the_bound_are_refused_at_once_and_may_ask_again(
    slow_app: ScoringApp,
    approved: dict[str, Any],
    registry: CollectorRegistry,
    path: str,
    most: int,
) -> None:
    body = [approved] * 2 if path.endswith("batch") else approved
    responses = ask_at_once(slow_app, 10, path, body)
    refused = [r for r in responses if r.status_code == 503]
    assert len(refused) == 10 - most
    assert [r.status_code for r in responses if r not in refused] == [200] * most
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].headers["content-type"] == "application/problem+json"
    assert refused[0].json()["type"].endswith("overloaded")
    counted = registry.get_sample_value(
        "credit_scoring_overloads_total", {"route": path}
    )
    assert counted == 10 - most
    assert [r.status_code for r in ask_at_once(slow_app, 2, path, body)] == [200] * 2


def test_whoever_leaves_or_fails_makes_room(registry: CollectorRegistry) -> None:
    gate = Gate(1, route="/predict", metrics=PressureMetrics(registry))
    for error in (ZeroDivisionError, asyncio.CancelledError):
        with pytest.raises(error), gate:
            raise error
    with gate, pytest.raises(ProblemError, match="too many requests wait"), gate:
        pass
    with gate:
        pass


def test_a_flood_is_answered_in_time_and_leaves_nothing_behind(
    slow_app: ScoringApp,
    slow: SlowRunner,
    serve: Callable[[Any], int],
    approved: dict[str, Any],
) -> None:
    """Sixty clients at an engine that takes 40 a second: nobody waits in a line."""
    port = serve(FrontDoor(lambda: slow_app, behind=no_lifespan, paths_behind={}))
    body = json.dumps(approved)

    def ask(_: int) -> tuple[int, float]:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        started = time.monotonic()
        headers = {"content-type": "application/json"}
        connection.request("POST", "/predict", body, headers)
        status = connection.getresponse().status
        connection.close()
        return status, time.monotonic() - started

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(ask, range(300)))
    assert {status for status, _ in answers} == {200, 503}
    assert max(seconds for _, seconds in answers) < 10
    slow.seconds = 0.0
    assert [ask(0)[0] for _ in range(5)] == [200] * 5
