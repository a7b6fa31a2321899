"""A small lender: two columns, two features, a model that can be worked by hand."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx
import numpy as np
import pytest
import uvicorn
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.decisions import Decision
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.policy import Policy
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.decision.uncertainty import (
    FeatureRange,
    PdIntervals,
    Uncertainty,
)
from credit_scoring.scorecard.scaling import ScoreScaling
from credit_scoring.serving.answers import ModelAnswer
from credit_scoring.serving.app import ScoringApp
from credit_scoring.serving.assembly import Models, scoring_app
from credit_scoring.serving.local_server import HOST, free_port
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.runners import InProcessRunner
from credit_scoring.serving.settings import Settings

Values = NDArray[np.float64]

CONTRACT = {
    "name": "small_lender",
    "version": 1,
    "title": "Small lender",
    "columns": {
        "loan_id": {
            "source": "ID",
            "type": "string",
            "role": "id",
            "pattern": "[A-Za-z0-9._-]{1,64}",
            "description": "Identifies the loan.",
            "example": "L-1",
        },
        "amount": {
            "source": "AMOUNT",
            "type": "number",
            "role": "application",
            "minimum": 0,
            "maximum": 1000,
            "unit": "EUR",
            "description": "Amount asked for.",
            "example": 100,
        },
        "days_late_1": {
            "source": "LATE",
            "type": "integer",
            "role": "history",
            "minimum": 0,
            "maximum": 999,
            "unit": "days",
            "description": "Days late in the newest month.",
            "example": 0,
        },
        "sex": {
            "source": "SEX",
            "type": "integer",
            "role": "protected",
            "categories": {1: "male", 2: "female"},
            "description": "Sex.",
            "example": 1,
        },
        "bad": {
            "source": "BAD",
            "type": "integer",
            "role": "target",
            "categories": {0: "good", 1: "bad"},
            "description": "Defaulted.",
        },
    },
}

POLICY = {
    "approve_from": 500,
    "decline_below": 480,
    "bands": [{"code": "A", "from": 500}, {"code": "B", "from": 480}, {"code": "C"}],
    "rules": [
        {
            "code": "POLICY_OUTSIDE_TRAINING",
            "outcome": "refer",
            "text": "We know none like it.",
            "when": {"outside_training": 1},
        }
    ],
    "history_unavailable_text": "We could not read your account history.",
}


@dataclass(frozen=True)
class TwoFeatures:
    names: tuple[str, ...] = ("lateness", "size")
    inputs: tuple[str, ...] = ("days_late_1", "amount")

    def compute_rows(self, rows: Values, places: NDArray[np.int64]) -> Values:
        return np.ascontiguousarray(rows[:, places])


@dataclass
class LinearModel:
    """A margin of two weights; it breaks on an amount of 666 as no model should."""

    family: ClassVar[str] = "linear"
    calls: list[int]
    features: tuple[str, ...] = ("lateness", "size")
    weights: tuple[float, ...] = (0.1, 0.001)

    def margin(self, x: Values) -> Values:
        if (x[:, 1] == 666).any():
            raise ZeroDivisionError("the value 666 of a secret applicant")
        self.calls.append(len(x))
        return x[:, 0] * self.weights[0] + x[:, 1] * self.weights[1]

    def contributions(self, x: Values) -> Values:
        return x * np.array(self.weights)

    def with_background(self, background: Values) -> Self:
        return self

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise NotImplementedError


# Nobody in training asked for less than half a euro.
UNCERTAINTY = Uncertainty(
    pd_intervals=PdIntervals(
        level=0.9, window_rows=50, margins=(1.0,), low=(0.25, 0.5), high=(0.75, 1.0)
    ),
    ranges={"size": FeatureRange(low=0.5, high=1000, missing=False)},
)


def small_engine(
    calls: list[int] | None = None,
    weights: tuple[float, float] = (0.1, 0.001),
    uncertainty: Uncertainty | None = UNCERTAINTY,
) -> DecisionEngine:
    names = ("lateness", "size")
    texts = {"LATE": "You paid late.", "SIZE": "You ask for much."}
    grading = Grading(
        Calibration(slope=1.0, intercept=0.0),
        ScoreScaling(base_score=520, base_odds=1, pdo=20),
        Policy.model_validate(POLICY),
    )
    return DecisionEngine(
        LinearModel([] if calls is None else calls, weights=weights),
        grading,
        features=TwoFeatures(),
        groups=ReasonGroups(names, ("LATE", "SIZE"), texts),
        columns=("amount", "days_late_1"),
        uncertainty=uncertainty,
    )


@pytest.fixture
def approved() -> dict[str, Any]:
    """Margin 0 / 10 + 100 / 1000 = 0.1; score 520 - 20 / ln 2 * 0.1 = 517.1."""
    return {"loan_id": "L-1", "amount": 100, "days_late_1": 0}


@pytest.fixture
def declined() -> dict[str, Any]:
    """Margin 100 / 10 + 1000 / 1000 = 11; score 520 - 20 / ln 2 * 11 = 202.6."""
    return {"loan_id": "L-2", "amount": 1000, "days_late_1": 100}


@pytest.fixture
def without_history() -> dict[str, Any]:
    return {"loan_id": "L-3", "amount": 100}


@pytest.fixture
def breaking() -> dict[str, Any]:
    """Valid, but the model breaks on it."""
    return {"loan_id": "secret-applicant", "amount": 666, "days_late_1": 1}


@pytest.fixture
def contract() -> Contract:
    return Contract.model_validate(CONTRACT)


@pytest.fixture
def decoder(contract: Contract) -> RequestDecoder:
    return RequestDecoder(contract)


@pytest.fixture
def engine_calls() -> list[int]:
    """Number of rows in each call of the engine."""
    return []


@pytest.fixture
def runner(decoder: RequestDecoder, engine_calls: list[int]) -> InProcessRunner:
    return InProcessRunner(
        engine=small_engine(engine_calls),
        decoder=decoder,
        model=ModelAnswer("credit_scoring", "7", "champion", "d" * 64),
    )


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def models(
    contract: Contract, decoder: RequestDecoder, runner: InProcessRunner
) -> Models:
    return Models(contract, decoder, runner, None)


@pytest.fixture
def settings() -> Settings:
    return Settings(
        max_body_bytes=2048,
        max_batch_body_bytes=8192,
        max_batch_rows=20,
        body_timeout_ms=200,
    )


@pytest.fixture
def app(models: Models, settings: Settings, registry: CollectorRegistry) -> ScoringApp:
    return scoring_app(models, settings, ServiceMetrics(registry))


@pytest.fixture
def call(app: ScoringApp) -> Callable[..., httpx.Response]:
    """Send one request to the app: method, path, and httpx's own arguments."""

    def send(method: str, path: str, **arguments: Any) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://test"
            ) as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(run())

    return send


async def no_lifespan(scope: Any, receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


@pytest.fixture
def serve() -> Iterator[Callable[[Any], int]]:
    """Serve an ASGI app on a real socket until the test ends; gives the port."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: Any) -> int:
        port = free_port()
        config = uvicorn.Config(
            app, host=HOST, port=port, log_config=None, lifespan="on"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        running.append((server, thread))
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        return port

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@dataclass
class Challenger:
    """The same engine under another role, which can be made to fail or to hang."""

    inner: InProcessRunner
    error: Exception | None = None
    seconds: float = 0.0
    let_go: threading.Event = field(default_factory=threading.Event)
    hangs: bool = False

    @property
    def model(self) -> ModelAnswer:
        return self.inner.model

    @property
    def engine(self) -> DecisionEngine:
        return self.inner.engine

    async def submit(self, application: Application, *, explain: bool) -> Decision:
        raise NotImplementedError("it computes on a thread of its own")

    def compute(
        self, applications: Sequence[Application], *, explain: bool
    ) -> list[Decision | Exception]:
        time.sleep(self.seconds)
        if self.hangs:
            self.let_go.wait(60)
        if self.error is not None:
            raise self.error
        return self.inner.compute(applications, explain=explain)


@pytest.fixture
def challenger_calls() -> list[int]:
    """Number of rows in each call of the challenger's engine."""
    return []


@pytest.fixture
def challenger(
    decoder: RequestDecoder, challenger_calls: list[int]
) -> Iterator[Challenger]:
    """A challenger with twice the champion's weights."""
    engine = small_engine(challenger_calls, weights=(0.2, 0.002))
    engine.warm_up({"amount": np.ones(2), "days_late_1": np.ones(2)})
    challenger_calls.clear()
    model = ModelAnswer("credit_scoring", "8", "challenger", "e" * 64)
    made = Challenger(InProcessRunner(engine=engine, decoder=decoder, model=model))
    yield made
    made.let_go.set()
