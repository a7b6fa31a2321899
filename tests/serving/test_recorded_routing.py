"""What the decision log says of routing: the arm drawn, and who decided in the end."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.decision.routing import Split
from credit_scoring.decision_log.reader import (
    read_decisions,
    read_shadows,
    verify_log,
)
from credit_scoring.decision_log.writer import DecisionLog
from credit_scoring.errors import DecisionLogError
from credit_scoring.serving.app import ScoringApp
from credit_scoring.serving.assembly import Models, decision_recorder, scoring_app
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.recording import LogRecorder
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.runners import InProcessRunner
from credit_scoring.serving.settings import Settings

from .conftest import Challenger

IDS = [f"L-{number}" for number in range(40)]
ROWS = [{"loan_id": one, "amount": 100, "days_late_1": 0} for one in IDS]
ARMS = dict(zip(IDS, Split(share=0.5, salt="routing").arms(IDS), strict=True))
SPLIT = Settings(
    routing="split",
    challenger_share=0.5,
    routing_salt="routing",
    challenger_timeout_ms=2000,
)
SHADOW = Settings(routing="shadow")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def make(  # noqa: PLR0913, PLR0917 - fixtures
    contract: Contract,
    decoder: RequestDecoder,
    runner: InProcessRunner,
    challenger: Challenger,
    registry: CollectorRegistry,
    folder: Path,
) -> Iterator[Callable[[Settings], ScoringApp]]:
    recorders: list[LogRecorder] = []

    def app(settings: Settings) -> ScoringApp:
        models = Models(contract, decoder, runner, challenger)
        settings = settings.model_copy(update={"decision_log_dir": str(folder)})
        recorder = decision_recorder(models, settings, LogMetrics(registry))
        recorders.append(recorder)
        metrics = ServiceMetrics(registry)
        return scoring_app(models, settings, metrics, recorder=recorder)

    yield app
    for recorder in recorders:
        recorder.close()


def ask(app: ScoringApp, *, batch: bool = False) -> list[dict[str, Any]]:
    """Ask for every row, then close the app."""

    async def run() -> list[dict[str, Any]]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as web:
            if batch:
                answers = (await web.post("/predict/batch", json=ROWS)).json()
            else:
                asked = [await web.post("/predict", json=row) for row in ROWS]
                answers = [answer.json() for answer in asked]
        await app.close()
        return list(answers)

    return asyncio.run(run())


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_the_arm_is_the_one_that_was_drawn_whoever_decided(
    make: Callable[..., ScoringApp],
    challenger: Challenger,
    folder: Path,
    batch: bool,
    fails: bool,
) -> None:
    challenger.error = ZeroDivisionError() if fails else None
    ask(make(SPLIT), batch=batch)
    entries = [one.entry for one in read_decisions(folder)]
    assert {entry.loan_id: entry.arm for entry in entries} == ARMS
    decided_by = {entry.loan_id: entry.model.role for entry in entries}
    assert decided_by == (dict.fromkeys(IDS, "champion") if fails else ARMS)


@pytest.mark.parametrize("batch", [False, True])
def test_without_history_an_arm_is_drawn_all_the_same(
    make: Callable[..., ScoringApp],
    folder: Path,
    batch: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = [{"loan_id": row["loan_id"], "amount": 1} for row in ROWS]
    monkeypatch.setattr(f"{__name__}.ROWS", bare)
    ask(make(SPLIT), batch=batch)
    entries = [one.entry for one in read_decisions(folder)]
    assert {entry.loan_id: entry.arm for entry in entries} == ARMS
    assert {entry.model.role for entry in entries} == {"champion"}


@pytest.mark.parametrize("batch", [False, True])
def test_the_shadow_is_in_the_log_beside_its_decision(
    make: Callable[..., ScoringApp],
    challenger: Challenger,
    folder: Path,
    batch: bool,
    registry: CollectorRegistry,
) -> None:
    """Margin 0.2: score 514.2, and the PD is 1 / (1 + exp(-0.2))."""
    answers = ask(make(SHADOW), batch=batch)
    decided = {one.entry.decision_id: one.entry for one in read_decisions(folder)}
    assert set(decided) == {answer["decision_id"] for answer in answers}
    assert {entry.arm for entry in decided.values()} == {"champion"}
    shadows = [one.entry for one in read_shadows(folder)]
    assert {entry.decision_id for entry in shadows} == set(decided)
    assert len(shadows) == len(IDS)
    for entry in shadows:
        assert entry.scored_at == decided[entry.decision_id].scored_at
        assert (entry.score, entry.decision) == (514.2, "approve")
        assert entry.margin == pytest.approx(0.2)
        assert entry.pd == pytest.approx(0.549834)
        assert entry.reasons == []
        assert msgspec.to_builtins(entry.model) == msgspec.to_builtins(challenger.model)
        assert entry.policy_version == challenger.engine.policy_version
    report = verify_log(folder)
    assert (report.decisions, report.shadows, report.faults) == (40, 40, ())
    assert sample(registry, "decision_log_shadow_records_total") == 40
    assert sample(registry, "decision_log_records_total") == 40


def test_a_shadow_that_would_decline_says_why(
    make: Callable[..., ScoringApp],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Margin 0.9: score 494, so refer; twice that: 468, so decline."""
    refer = [{"loan_id": "L-1", "amount": 900, "days_late_1": 0}]
    monkeypatch.setattr(f"{__name__}.ROWS", refer)
    ask(make(SHADOW))
    (entry,) = [one.entry for one in read_shadows(folder)]
    assert entry.decision == "decline"
    assert [reason.code for reason in entry.reasons] == ["SIZE"]


@pytest.mark.parametrize("error", [DecisionLogError("no room"), ZeroDivisionError()])
def test_a_shadow_that_cannot_be_written_harms_no_answer(
    make: Callable[..., ScoringApp],
    folder: Path,
    registry: CollectorRegistry,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def fail(*arguments: Any) -> int:
        raise error

    monkeypatch.setattr(DecisionLog, "append_shadows", fail)
    answers = ask(make(SHADOW))
    assert [answer["decision"] for answer in answers] == ["approve"] * 40
    report = verify_log(folder)
    assert (report.decisions, report.shadows, report.faults) == (40, 0, ())
    counted = 40 if isinstance(error, DecisionLogError) else 0
    assert sample(registry, "decision_log_shadow_errors_total") == counted


def test_the_key_of_a_retry_is_in_the_log_as_its_hash(
    make: Callable[..., ScoringApp], folder: Path
) -> None:
    app = make(Settings())

    async def run() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as web:
            for headers in ({"Idempotency-Key": "abc"}, {"Idempotency-Key": "abc"}, {}):
                await web.post("/predict", json=ROWS[0], headers=headers)

    asyncio.run(run())
    # printf abc | sha256sum
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    hashes = [one.entry.idempotency_key_hash for one in read_decisions(folder)]
    assert hashes == [known, None]


def sample(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value(f"credit_scoring_{name}")
