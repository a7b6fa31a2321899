"""GET /monitoring and GET /monitoring/report."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from credit_scoring.evaluation.stability import psi_of_counts
from credit_scoring.monitoring.publication import (
    SUMMARY,
    Finding,
    Summary,
    write_summary,
    write_whole,
)
from credit_scoring.registry.reference import reference_distributions
from credit_scoring.routing_state.state import change_state
from credit_scoring.serving.app import ScoringApp
from credit_scoring.serving.assembly import Models, scoring_app
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.settings import Settings

Call = Callable[..., httpx.Response]
Row = dict[str, Any]
NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        monitoring_dir=str(tmp_path),
        routing_dir=str(tmp_path / "routing"),
        live_window_least=10,
    )


@pytest.fixture
def models(models: Models) -> Models:
    """Half of training had a lateness of 0 and asked for 100, as `approved` does."""
    score = np.repeat([202.6, 517.1], 50)
    features = np.column_stack([np.repeat([100.0, 0.0], 50), np.full(100, 100.0)])
    reference = reference_distributions(score, features, ("lateness", "size"))
    return replace(models, reference=reference)


@pytest.fixture
def app(models: Models, settings: Settings, registry: CollectorRegistry) -> ScoringApp:
    return scoring_app(models, settings, ServiceMetrics(registry))


def published(folder: Path, report: str | None = "day.html") -> None:
    finding = Finding("score_drift", "warn", "PSI 0.12", 0.12)
    summary = Summary(
        1, "warn", NOW, NOW, NOW, NOW, 1000, [finding], {"score_psi": 0.12}, report
    )
    write_summary(folder, summary)


def metric(registry: CollectorRegistry, name: str) -> str:
    lines = generate_latest(registry).decode().splitlines()
    (value,) = [line.rpartition(" ")[2] for line in lines if line.startswith(name)]
    return value


def test_it_says_who_decides_and_what_was_decided(
    call: Call, approved: Row, declined: Row, without_history: Row
) -> None:
    for row in (approved, declined, without_history, {"loan_id": "L-9"}):
        call("POST", "/predict", json=row)
    state = call("GET", "/monitoring").json()
    assert state["models"] == [
        {
            "name": "credit_scoring",
            "version": "7",
            "role": "champion",
            "digest": "d" * 64,
        }
    ]
    assert state["routing"] == {
        "mode": "champion",
        "challenger_share": None,
        "overridden": False,
        "why": "",
    }
    assert state["decisions"] == {
        "total": 3,
        "by_decision": {"approve": 1, "decline": 1, "refer": 1},
        "by_role": {"champion": 3},
        "by_feature_source": {"degraded": 1, "request": 2},
    }
    assert state["problems"] == {"invalid-request": 1}
    assert state["degradation"]["without_history"] == 1
    assert state["degradation"]["store"]["circuit"] is None


def test_an_override_is_shown_with_its_reason(call: Call, settings: Settings) -> None:
    change_state(
        Path(settings.routing_dir), "override", why="approvals fell", who="guard"
    )
    gives_up = time.monotonic() + 30
    while not (routing := call("GET", "/monitoring").json()["routing"])["overridden"]:
        assert time.monotonic() < gives_up
        time.sleep(0.1)
    assert routing["why"] == "approvals fell"


def test_too_few_decisions_have_no_psi_and_say_why(
    call: Call, approved: Row, registry: CollectorRegistry
) -> None:
    for _ in range(9):
        call("POST", "/predict", json=approved)
    live = call("GET", "/monitoring").json()["live"]
    assert live["applications"] == 9
    assert live["score"]["psi"] is None
    assert live["features"]["size"]["psi"] is None
    assert live["reason"] == "9 decisions in the window; at least 10 are needed"
    assert metric(registry, "credit_scoring_score_psi") == "NaN"
    assert metric(registry, "credit_scoring_live_window_decisions") == "9.0"


def test_the_live_psi_is_that_of_the_decisions(
    call: Call, approved: Row, without_history: Row, registry: CollectorRegistry
) -> None:
    for _ in range(40):
        call("POST", "/predict", json=approved)
    call("POST", "/predict", json=without_history)
    live = call("GET", "/monitoring").json()["live"]
    # One without a history has no features, so it is in no distribution.
    assert live["applications"] == 40
    moved = psi_of_counts(np.array([50, 50]), np.array([0, 40]))
    assert live["score"]["psi"] == pytest.approx(moved, abs=1e-6)
    assert live["features"]["lateness"]["psi"] == pytest.approx(moved, abs=1e-6)
    assert live["features"]["size"] == {
        "psi": 0.0,
        "missing": 0.0,
        "missing_expected": 0.0,
    }
    assert live["reason"] is None
    shown = metric(registry, 'credit_scoring_feature_psi{feature="lateness"}')
    assert float(shown) == pytest.approx(moved, abs=1e-6)


def test_without_a_reference_there_are_no_live_figures(
    models: Models, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    bare = replace(models, reference={})
    metrics = ServiceMetrics(CollectorRegistry())
    scoring_app(bare, settings, metrics)
    assert "there are no live figures" in caplog.text
    metrics.tally.prepare()


def test_the_published_verdict_is_shown(
    call: Call, tmp_path: Path, registry: CollectorRegistry
) -> None:
    assert metric(registry, "credit_scoring_monitoring_last_success") == "0.0"
    published(tmp_path)
    said = call("GET", "/monitoring").json()["monitoring"]
    assert said["verdict"] == "warn"
    assert said["reason"] is None
    assert said["findings"][0]["subject"] == "score_drift"
    assert said["report"] == "/monitoring/report"
    success = metric(registry, "credit_scoring_monitoring_last_success")
    assert float(success) == NOW.timestamp()
    name = 'credit_scoring_monitoring_verdict{verdict="%s"}'
    shown = [metric(registry, name % v) for v in ("ok", "warn", "alert")]
    assert shown == ["0.0", "1.0", "0.0"]


@pytest.mark.parametrize("content", [b"", b'{"verdict": "ok"', b"null", b"\xff"])
def test_a_half_written_summary_is_no_verdict_and_no_5xx(
    call: Call, content: bytes, tmp_path: Path, registry: CollectorRegistry
) -> None:
    (tmp_path / SUMMARY).write_bytes(content)
    state = call("GET", "/monitoring")
    assert state.status_code == 200
    assert state.json()["monitoring"]["verdict"] is None
    assert "not as a monitoring run" in state.json()["monitoring"]["reason"]
    assert call("GET", "/monitoring/report").status_code == 404
    assert metric(registry, "credit_scoring_monitoring_last_success") == "0.0"


def test_an_answer_is_kept_for_a_moment(call: Call, approved: Row) -> None:
    first = call("GET", "/monitoring").json()
    call("POST", "/predict", json=approved)
    assert call("GET", "/monitoring").json()["as_of"] == first["as_of"]


def test_the_report_is_given_and_may_load_nothing(call: Call, tmp_path: Path) -> None:
    published(tmp_path)
    write_whole(tmp_path / "reports" / "day.html", b"<p>drift</p>")
    answer = call("GET", "/monitoring/report")
    assert answer.text == "<p>drift</p>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "sandbox allow-scripts" in policy
    assert not re.search(r"https?:|\*|'self'|connect-src", policy)


@pytest.mark.parametrize("state", ["none", "without", "vanished"])
def test_without_a_report_it_says_what_to_run(
    call: Call, state: str, tmp_path: Path
) -> None:
    if state != "none":
        published(tmp_path, None if state == "without" else "day.html")
    answer = call("GET", "/monitoring/report")
    assert answer.status_code == 404
    assert answer.json()["type"].endswith(":no-report")
    assert "kedro run --pipelines monitoring" in answer.json()["detail"]
    assert str(tmp_path) not in answer.text


@pytest.mark.parametrize("path", ["/monitoring", "/monitoring/report"])
def test_parameters_and_other_methods_are_refused(call: Call, path: str) -> None:
    assert call("GET", f"{path}?day=1").status_code == 400
    assert call("POST", path).status_code == 405
    assert call("OPTIONS", path).headers["allow"] == "GET, HEAD, OPTIONS"
