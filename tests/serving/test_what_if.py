"""Tries say what would be decided, and leave no trace but their own count."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

Json = dict[str, Any]
Call = Callable[..., httpx.Response]


def counted(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("path", ["/what-if", "/what-if/approval"])
def test_a_try_is_no_decision(
    call: Call, registry: CollectorRegistry, declined: Json, path: str
) -> None:
    answer = call("POST", path, json=declined)
    assert answer.status_code == 200
    assert answer.json()["recorded"] is False
    assert "decision_id" not in answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert not [
        s
        for metric in registry.collect()
        for s in metric.samples
        if s.name == "credit_scoring_decisions_total"
    ]
    asked = "approval" if path.endswith("approval") else "decision"
    name = "credit_scoring_what_ifs_total"
    assert counted(registry, name, asked=asked, decision="decline") == 1


def test_it_says_what_predict_decides_with_every_factor(
    call: Call, declined: Json
) -> None:
    tried = call("POST", "/what-if", json=declined).json()
    real = call("POST", "/predict?reasons=true", json=declined).json()
    for name in ("pd", "score", "band", "decision", "reasons", "model"):
        assert tried[name] == real[name]
    total = tried["reference_score"] + sum(f["points"] for f in tried["factors"])
    assert abs(total - tried["score"]) <= 0.05


@pytest.mark.parametrize("path", ["/what-if", "/what-if/approval"])
def test_without_a_history_a_person_decides(
    call: Call, without_history: Json, path: str
) -> None:
    answer = call("POST", path, json=without_history).json()
    assert answer["decision"] == "refer"
    assert answer["feature_source"] == "degraded"
    assert answer["score"] is None


@pytest.mark.parametrize("path", ["/what-if", "/what-if/approval"])
def test_wrong_requests_are_problems(call: Call, declined: Json, path: str) -> None:
    wrong = call("POST", path, json={**declined, "amount": -1})
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["field"] == "amount"
    query = call("POST", f"{path}?reasons=true", json=declined)
    assert query.status_code == 400
    assert call("POST", path, content=b"{").status_code in (400, 415)
    assert call("GET", path).status_code == 405


def test_nothing_is_offered_where_the_contract_names_nothing(
    call: Call, declined: Json
) -> None:
    answer = call("POST", "/what-if/approval", json=declined).json()
    assert answer["single"] == []
    assert answer["best"] is None
    assert json.dumps(answer["cannot_be_changed"]) == "null"
