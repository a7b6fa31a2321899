"""No decision is answered that is not in the decision log."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Contract
from credit_scoring.decision_log.reader import (
    LoggedDecision,
    read_decisions,
    verify_log,
)
from credit_scoring.decision_log.writer import DecisionLog
from credit_scoring.errors import DecisionLogError
from credit_scoring.serving.answers import DecisionAnswer
from credit_scoring.serving.app import ScoringApp
from credit_scoring.serving.assembly import Models, decision_recorder, scoring_app
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.recording import LogRecorder
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.scoring import Scoring
from credit_scoring.serving.settings import Settings

Row = dict[str, Any]
Post = Callable[..., httpx.Response]


@pytest.fixture(params=[False, True], ids=["no-fsync", "fsync"])
def recorder(
    models: Models,
    registry: CollectorRegistry,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[LogRecorder]:
    settings = Settings(
        decision_log_dir=str(tmp_path / "log"), decision_log_fsync=request.param
    )
    recorder = decision_recorder(models, settings, LogMetrics(registry))
    yield recorder
    recorder.close()


@pytest.fixture
def app(
    models: Models,
    settings: Settings,
    recorder: LogRecorder,
    registry: CollectorRegistry,
) -> ScoringApp:
    return scoring_app(models, settings, ServiceMetrics(registry), recorder=recorder)


@pytest.fixture
def logged(tmp_path: Path) -> Callable[[], list[LoggedDecision]]:
    return lambda: list(read_decisions(tmp_path / "log"))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Let the decision log find no room, or room again."""
    append = DecisionLog.append

    def no_room(*arguments: Any) -> int:
        raise DecisionLogError("the decision log cannot be written: no room")

    def fill(full: bool) -> None:
        monkeypatch.setattr(DecisionLog, "append", no_room if full else append)

    return fill


def test_the_interval_of_the_pd_is_logged_as_answered(
    call: Post, approved: Row, logged: Callable[[], list[LoggedDecision]]
) -> None:
    answer = call("POST", "/predict?interval=true", json=approved).json()
    call("POST", "/predict", json=approved)
    asked, unasked = (one.entry.pd_interval for one in logged())
    assert msgspec.to_builtins(asked) == answer["pd_interval"]
    assert unasked is None


def test_an_answer_is_in_the_log(
    call: Post, declined: Row, logged: Callable[[], list[LoggedDecision]]
) -> None:
    answer = call("POST", "/predict", json=declined).json()
    (one,) = logged()
    entry = one.entry
    for name in ("decision_id", "loan_id", "pd", "score", "band", "decision"):
        assert getattr(entry, name) == answer[name]
    assert msgspec.to_builtins(entry.model) == answer["model"]
    assert entry.policy_version == answer["policy_version"]
    assert entry.scored_at.isoformat() == answer["scored_at"].replace("Z", "+00:00")
    assert [(r.code, r.feature, r.points) for r in entry.reasons] == [
        (r["code"], r["feature"], r["points"]) for r in answer["reasons"]
    ]
    assert (entry.arm, entry.feature_source) == ("champion", "request")
    assert entry.inputs == {"amount": 1000.0, "days_late_1": 100.0}
    assert entry.features == [100.0, 1000.0]
    assert entry.margin == 11.0
    assert not entry.explained


def test_the_header_says_what_decides(
    call: Post,
    approved: Row,
    logged: Callable[[], list[LoggedDecision]],
    contract: Contract,
) -> None:
    call("POST", "/predict?reasons=true", json=approved)
    (one,) = logged()
    origin = one.header.origin
    assert origin.contract_digest == contract.digest
    assert origin.inputs == ("amount", "days_late_1")
    (model,) = origin.models
    assert (model.role, model.features) == ("champion", ("lateness", "size"))
    assert one.entry.explained


def test_a_decision_without_history_is_in_the_log(
    call: Post, without_history: Row, logged: Callable[[], list[LoggedDecision]]
) -> None:
    call("POST", "/predict", json=without_history)
    (one,) = logged()
    entry = one.entry
    assert (entry.decision, entry.feature_source) == ("refer", "degraded")
    assert entry.inputs == {"amount": 100.0}
    assert (entry.margin, entry.features, entry.pd) == (None, None, None)
    assert [reason.code for reason in entry.reasons] == ["HISTORY_UNAVAILABLE"]


def test_protected_columns_are_never_in_the_log(
    call: Post, approved: Row, tmp_path: Path
) -> None:
    call("POST", "/predict", json={**approved, "sex": 2})
    call("POST", "/predict/batch", json=[{**approved, "sex": 2}])
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "log").iterdir())
    assert '"amount"' in text
    assert "sex" not in text


def test_a_batch_is_in_the_log_and_its_refused_rows_are_not(  # noqa: PLR0913, PLR0917
    call: Post,
    approved: Row,
    declined: Row,
    without_history: Row,
    breaking: Row,
    logged: Callable[[], list[LoggedDecision]],
) -> None:
    rows = [approved, {"loan_id": "?"}, breaking, declined, without_history]
    answers = call("POST", "/predict/batch", json=rows).json()
    decided = [answer for answer in answers if "error" not in answer]
    assert [one.entry.decision_id for one in logged()] == [
        answer["decision_id"] for answer in decided
    ]
    assert len(decided) == 3


def test_those_that_arrive_together_are_all_in_the_log(
    app: ScoringApp, approved: Row, tmp_path: Path
) -> None:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as web:
            rows = [{**approved, "loan_id": f"L-{n}"} for n in range(200)]
            return await asyncio.gather(*(web.post("/predict", json=r) for r in rows))

    answered = {answer.json()["decision_id"] for answer in asyncio.run(ask())}
    report = verify_log(tmp_path / "log")
    assert not report.faults
    logged = {one.entry.decision_id for one in read_decisions(tmp_path / "log")}
    assert logged == answered
    assert len(logged) == 200


def test_one_who_leaves_while_all_are_written_harms_nobody(
    models: Models, recorder: LogRecorder, approved: Row, tmp_path: Path
) -> None:
    scoring = Scoring(
        champion=models.champion,
        metrics=ServiceMetrics(CollectorRegistry()),
        recorder=recorder,
    )

    async def decide() -> list[Any]:
        tasks = [
            asyncio.create_task(
                scoring.decide(
                    models.decoder.decode(
                        msgspec.json.encode({**approved, "loan_id": f"L-{n}"})
                    ),
                    explain=False,
                )
            )
            for n in range(30)
        ]
        # They are computed in the second turn, and then wait for the write.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[7].cancel()
        tasks[29].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(decide())
    answered = {o.decision_id for o in outcomes if isinstance(o, DecisionAnswer)}
    assert len(answered) == 28
    logged = {one.entry.decision_id for one in read_decisions(tmp_path / "log")}
    assert answered <= logged
    assert not verify_log(tmp_path / "log").faults
    assert not recorder._unwritten


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_what_cannot_be_recorded_is_not_answered(
    call: Post,
    approved: Row,
    full_disk: Callable[[bool], None],
    registry: CollectorRegistry,
    path: str,
) -> None:
    body = approved if path == "/predict" else [approved, approved]
    full_disk(True)
    response = call("POST", path, json=body)
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    assert response.json()["type"].endswith("decision-not-recorded")
    assert "517.1" not in response.text
    full_disk(False)
    assert call("POST", path, json=body).status_code == 200
    count = 1.0 if path == "/predict" else 2.0
    assert sample(registry, "decision_log_errors_total") == count
    assert sample(registry, "decision_log_records_total") == count
    labels = {"role": "champion", "decision": "approve", "feature_source": "request"}
    assert registry.get_sample_value("credit_scoring_decisions_total", labels) == count


def test_lag_and_size_are_measured(
    call: Post, approved: Row, registry: CollectorRegistry, tmp_path: Path
) -> None:
    call("POST", "/predict", json=approved)
    lag = sample(registry, "decision_log_lag_seconds")
    assert lag is not None
    assert 0 < lag < 5
    (segment,) = (tmp_path / "log").glob("2*")
    assert sample(registry, "decision_log_bytes") == segment.stat().st_size


def test_a_closed_recorder_leaves_a_closed_segment(
    call: Post, approved: Row, recorder: LogRecorder, tmp_path: Path
) -> None:
    call("POST", "/predict", json=approved)
    recorder.close()
    assert [s.state for s in verify_log(tmp_path / "log").segments] == ["closed"]


@pytest.mark.parametrize("recorder", [True], indirect=True, ids=["fsync"])
def test_with_fsync_one_wait_serves_those_that_came_meanwhile(
    app: ScoringApp, approved: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    append = DecisionLog.append

    def note(log: DecisionLog, entries: list[Any]) -> int:
        sizes.append(len(entries))
        return append(log, entries)

    monkeypatch.setattr(DecisionLog, "append", note)

    async def ask() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as web:
            await asyncio.gather(
                *(web.post("/predict", json=approved) for _ in range(100))
            )

    asyncio.run(ask())
    assert sum(sizes) == 100
    assert len(sizes) < 50


def test_a_fault_of_ours_while_writing_is_an_incident(
    call: Post, approved: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(DecisionLog, "append", fail)
    assert call("POST", "/predict", json=approved).status_code == 500


def test_one_input_is_recorded_as_one(
    models: Models, tmp_path: Path, registry: CollectorRegistry, contract: Contract
) -> None:
    columns = {n: c for n, c in contract.columns.items() if n != "days_late_1"}
    narrow = contract.model_copy(update={"columns": columns})
    log = decision_recorder(
        models, Settings(decision_log_dir=str(tmp_path)), LogMetrics(registry)
    )._log
    recorder = LogRecorder(log, narrow, LogMetrics(CollectorRegistry()), fsync=False)

    class Asked:
        amount = 3.0

    assert recorder._values(Asked()) == (3.0,)  # type: ignore[arg-type]


def sample(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value(f"credit_scoring_{name}")
