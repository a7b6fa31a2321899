"""What the service counts, and that nobody can make it count without end."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from credit_scoring.serving.assembly import Models, scoring_app
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.settings import Settings

Call = Callable[..., httpx.Response]
Row = dict[str, Any]


def series(registry: CollectorRegistry) -> set[str]:
    lines = generate_latest(registry).decode().splitlines()
    return {
        line.rpartition(" ")[0]
        for line in lines
        if not line.startswith("#") and "_created" not in line
    }


def test_scores_and_reasons_are_counted(
    call: Call, registry: CollectorRegistry, approved: Row, declined: Row
) -> None:
    for row in (approved, declined, declined):
        call("POST", "/predict", json=row)
    call("POST", "/predict/batch", json=[approved, declined])

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"credit_scoring_{name}", labels)

    assert value("score_count", role="champion") == 5
    assert value("score_bucket", role="champion", le="300.0") == 3
    assert value("score_bucket", role="champion", le="525.0") == 5
    assert value("score_sum", role="champion") == pytest.approx(
        2 * 517.1 + 3 * 202.6, abs=0.5
    )
    assert value("reasons_total", code="LATE") == 3
    assert value("decisions_total", role="champion", decision="decline",
                 feature_source="request") == 3  # fmt: skip


def test_a_decision_without_a_score_has_a_reason(
    call: Call, registry: CollectorRegistry, without_history: Row
) -> None:
    answer = call("POST", "/predict", json=without_history).json()
    code = answer["reasons"][0]["code"]
    labels = {"code": code}
    assert registry.get_sample_value("credit_scoring_reasons_total", labels) == 1
    assert "credit_scoring_score_count" not in "".join(series(registry))


def test_problems_are_counted_by_name(call: Call, registry: CollectorRegistry) -> None:
    call("POST", "/predict", json={})
    call("POST", "/predict", content=b"{}")
    call("GET", "/predict")
    call("GET", "/nowhere")
    for route, problem in (
        ("/predict", "invalid-request"),
        ("/predict", "unsupported-media-type"),
        ("/predict", "method-not-allowed"),
        ("other", "not-found"),
    ):
        labels = {"route": route, "problem": problem}
        assert registry.get_sample_value("credit_scoring_problems_total", labels) == 1


def test_computations_are_counted(
    call: Call, registry: CollectorRegistry, approved: Row
) -> None:
    for _ in range(3):
        call("POST", "/predict", json=approved)
    for name in ("size", "wait_seconds"):
        count = f"credit_scoring_computation_{name}_count"
        assert registry.get_sample_value(count) == 3
    assert registry.get_sample_value("credit_scoring_computation_size_sum") == 3


def test_loaded_models_are_shown(models: Models, registry: CollectorRegistry) -> None:
    scoring_app(models, Settings(), ServiceMetrics(registry))
    labels = {
        "role": "champion", "name": "credit_scoring", "version": "7", "digest": "d" * 64
    }  # fmt: skip
    assert registry.get_sample_value("credit_scoring_model_info", labels) == 1


def test_strange_paths_methods_and_values_make_no_new_series(
    call: Call, registry: CollectorRegistry, approved: Row, declined: Row
) -> None:
    def ask(number: int) -> None:
        strange = f"x{number}"
        call("GET", f"/{strange}")
        call("POST", f"/predict/{strange}", json=approved)
        call("POST", f"/predict?{strange}={strange}", json=approved)
        call(strange.upper(), "/predict")
        call("POST", "/predict", json=declined | {"loan_id": strange})
        call("POST", "/predict", json=approved | {strange: strange})
        headers = {"content-type": strange, "idempotency-key": strange}
        call("POST", "/predict", content=strange, headers=headers)
        call("POST", "/predict", json=approved, headers={"idempotency-key": strange})
        call("POST", "/predict/batch", json=[{strange: strange}, approved])

    ask(0)
    before = series(registry)
    for number in range(1, 40):
        ask(number)
    assert series(registry) == before
    assert len(before) < 300
