"""Routing in the service: honest arms, and a champion that nothing harms."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.decision.routing import Split
from credit_scoring.serving.app import FrontDoor, ScoringApp
from credit_scoring.serving.assembly import Models, scoring_app
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.runners import InProcessRunner
from credit_scoring.serving.settings import Settings

from .conftest import Challenger, no_lifespan

SPLIT = Settings(
    routing="split",
    challenger_share=0.5,
    routing_salt="routing",
    challenger_timeout_ms=200,
    challenger_waiting=50,
)
SHADOW = Settings(routing="shadow", challenger_waiting=50)
IDS = [f"L-{number}" for number in range(60)]
ARMS = dict(zip(IDS, Split(share=0.5, salt="routing").arms(IDS), strict=True))


@pytest.fixture
def make(
    contract: Contract,
    decoder: RequestDecoder,
    runner: InProcessRunner,
    challenger: Challenger,
    registry: CollectorRegistry,
) -> Callable[..., ScoringApp]:
    def app(settings: Settings, *, usable: bool = True) -> ScoringApp:
        models = Models(contract, decoder, runner, challenger if usable else None)
        return scoring_app(models, settings, ServiceMetrics(registry))

    return app


def rows() -> list[dict[str, Any]]:
    return [{"loan_id": i, "amount": 100, "days_late_1": 0} for i in IDS]


def ask_all(app: ScoringApp, *, apart: bool = True) -> list[httpx.Response]:
    """Ask one after another, or all at once."""

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test"
        ) as client:
            asked = [client.post("/predict", json=row) for row in rows()]
            if apart:
                return [await one for one in asked]
            return await asyncio.gather(*asked)

    return asyncio.run(run())


def ask_batch(app: ScoringApp) -> list[dict[str, Any]]:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test"
        ) as client:
            return await client.post("/predict/batch", json=rows())

    answers: list[dict[str, Any]] = asyncio.run(run()).json()
    return answers


def roles(answers: list[Any]) -> dict[str, str]:
    return {answer["loan_id"]: answer["model"]["role"] for answer in answers}


def fallbacks(registry: CollectorRegistry, kind: str) -> float | None:
    name = "credit_scoring_challenger_fallbacks_total"
    return registry.get_sample_value(name, {"kind": kind})


def test_each_arm_is_decided_by_its_model(make: Callable[..., ScoringApp]) -> None:
    app = make(SPLIT)
    singles = [response.json() for response in ask_all(app)]
    assert roles(singles) == ARMS
    assert {answer["model"]["version"] for answer in singles} == {"7", "8"}
    scores = {"champion": 517.1, "challenger": 514.2}
    assert all(a["score"] == scores[a["model"]["role"]] for a in singles)


def test_a_batch_keeps_the_arms_and_the_order(make: Callable[..., ScoringApp]) -> None:
    answers = ask_batch(make(SPLIT))
    assert [answer["loan_id"] for answer in answers] == IDS
    assert roles(answers) == ARMS


@pytest.mark.parametrize("batch", [False, True])
def test_where_the_challenger_raises_the_champion_decides(
    make: Callable[..., ScoringApp],
    challenger: Challenger,
    registry: CollectorRegistry,
    batch: bool,
) -> None:
    challenger.error = ZeroDivisionError("secret")
    app = make(SPLIT)
    answers = ask_batch(app) if batch else [r.json() for r in ask_all(app)]
    assert set(roles(answers).values()) == {"champion"}
    assert [answer["loan_id"] for answer in answers] == IDS
    meant = list(ARMS.values()).count("challenger")
    assert fallbacks(registry, "failed") == meant


@pytest.mark.parametrize("batch", [False, True])
def test_where_the_challenger_hangs_the_champion_decides_in_time(
    make: Callable[..., ScoringApp],
    challenger: Challenger,
    registry: CollectorRegistry,
    batch: bool,
) -> None:
    challenger.hangs = True
    app = make(SPLIT)
    started = time.monotonic()
    answers = ask_batch(app) if batch else [r.json() for r in ask_all(app)]
    assert time.monotonic() - started < 3
    assert set(roles(answers).values()) == {"champion"}
    if not batch:
        # The first one waited in vain; nobody else did.
        assert fallbacks(registry, "slow") == 1
        meant = list(ARMS.values()).count("challenger")
        assert fallbacks(registry, "stuck") == meant - 1


@pytest.mark.parametrize("batch", [False, True])
def test_a_missing_challenger_is_counted_and_the_champion_decides(
    make: Callable[..., ScoringApp], registry: CollectorRegistry, batch: bool
) -> None:
    app = make(SPLIT, usable=False)
    answers = ask_batch(app) if batch else [r.json() for r in ask_all(app)]
    assert set(roles(answers).values()) == {"champion"}
    assert fallbacks(registry, "missing") == list(ARMS.values()).count("challenger")


def test_without_history_no_model_decides(make: Callable[..., ScoringApp]) -> None:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(make(SPLIT.model_copy()))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test"
        ) as client:
            row = {"loan_id": "L-1", "amount": 1}
            return await client.post("/predict", json=row)

    assert asyncio.run(run()).json()["decision"] == "refer"


@pytest.mark.parametrize("batch", [False, True])
def test_in_the_shadow_the_champion_decides_and_both_are_compared(
    make: Callable[..., ScoringApp], registry: CollectorRegistry, batch: bool
) -> None:
    app = make(SHADOW.model_copy(update={"challenger_waiting": 100}))
    answers = ask_batch(app) if batch else [r.json() for r in ask_all(app)]
    assert set(roles(answers).values()) == {"champion"}
    deadline = time.monotonic() + 10
    name = "credit_scoring_shadow_pd_difference_count"
    while registry.get_sample_value(name) != len(IDS):
        assert time.monotonic() < deadline
        time.sleep(0.01)


FAULTS = ["none", "raises", "hangs", "is slow"]


@pytest.fixture(params=[(r, f) for r in ("split", "shadow") for f in FAULTS])
def loaded(
    request: pytest.FixtureRequest,
    make: Callable[..., ScoringApp],
    challenger: Challenger,
    serve: Callable[[Any], int],
) -> Iterator[int]:
    """The port of a server whose challenger has a fault."""
    routing, fault = request.param
    challenger.hangs = fault == "hangs"
    challenger.seconds = 0.02 if fault == "is slow" else 0.0
    if fault == "raises":
        challenger.error = ZeroDivisionError("secret")
    app = make(SPLIT if routing == "split" else SHADOW)
    yield serve(FrontDoor(lambda: app, behind=no_lifespan, paths_behind={}))
    challenger.let_go.set()


def test_under_load_no_request_fails(loaded: int) -> None:
    def ask(turn: int) -> list[int]:
        with httpx.Client(base_url=f"http://127.0.0.1:{loaded}") as client:
            return [
                client.post(
                    "/predict", json={**row, "loan_id": f"{row['loan_id']}.{turn}"}
                ).status_code
                for row in rows()[:40]
            ]

    with ThreadPoolExecutor(6) as pool:
        statuses = [status for given in pool.map(ask, range(6)) for status in given]
    assert statuses == [200] * 240
