"""The deciding routes, through ASGI as a server would call them."""

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.serving.runners import InProcessRunner

Row = dict[str, Any]
Call = Callable[..., httpx.Response]


def test_an_approval_says_everything_but_reasons(call: Call, approved: Row) -> None:
    before = datetime.now(UTC)
    response = call("POST", "/predict", json=approved)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    decision_id = answer.pop("decision_id")
    assert uuid.UUID(decision_id).version == 7
    assert re.fullmatch("[0-9a-f]{32}", decision_id)
    scored_at = answer.pop("scored_at")
    assert scored_at.endswith("Z")
    age = datetime.fromisoformat(scored_at) - before
    assert timedelta(0) <= age < timedelta(minutes=1)
    assert answer.pop("pd") == pytest.approx(0.52497918747894, abs=1e-14)
    assert len(answer.pop("policy_version")) == 16
    assert answer == {
        "loan_id": "L-1",
        "score": 517.1,
        "band": "A",
        "decision": "approve",
        "reasons": [],
        "model": {
            "name": "credit_scoring",
            "version": "7",
            "role": "champion",
            "digest": "d" * 64,
        },
        "feature_source": "request",
    }


def test_the_keys_of_an_answer_have_a_fixed_order(call: Call, approved: Row) -> None:
    answer = call("POST", "/predict", json=approved).json()
    assert list(answer) == [
        "decision_id",
        "loan_id",
        "pd",
        "score",
        "band",
        "decision",
        "reasons",
        "model",
        "policy_version",
        "feature_source",
        "scored_at",
    ]


def test_a_decline_gives_its_reasons_the_strongest_first(
    call: Call, declined: Row
) -> None:
    answer = call("POST", "/predict", json=declined).json()
    assert answer["decision"] == "decline"
    assert answer["band"] == "C"
    assert answer["score"] == 202.6
    assert answer["reasons"] == [
        {
            "code": "LATE",
            "feature": "lateness",
            "text": "You paid late.",
            "points": -288.5,
        },
        {
            "code": "SIZE",
            "feature": "size",
            "text": "You ask for much.",
            "points": -28.9,
        },
    ]


def test_an_approval_gives_reasons_when_asked(call: Call, approved: Row) -> None:
    answer = call("POST", "/predict?reasons=true", json=approved).json()
    assert answer["decision"] == "approve"
    assert [reason["code"] for reason in answer["reasons"]] == ["SIZE"]


def test_without_history_a_person_decides_and_nothing_is_made_up(
    call: Call, without_history: Row
) -> None:
    answer = call("POST", "/predict", json=without_history).json()
    assert answer["decision"] == "refer"
    assert answer["feature_source"] == "degraded"
    assert (answer["pd"], answer["score"], answer["band"]) == (None, None, None)
    assert [reason["code"] for reason in answer["reasons"]] == ["HISTORY_UNAVAILABLE"]


def test_a_protected_column_is_taken_and_changes_nothing(
    call: Call, approved: Row
) -> None:
    plain = call("POST", "/predict", json=approved).json()
    given = call("POST", "/predict", json={**approved, "sex": 2}).json()
    assert given["pd"] == plain["pd"]


def test_each_decision_has_its_own_identifier(call: Call, approved: Row) -> None:
    ids = {
        call("POST", "/predict", json=approved).json()["decision_id"] for _ in range(5)
    }
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("reasons=false", "reasons"),
        ("reasons=", "reasons"),
        ("reasons=TRUE", "reasons"),
        ("reasons=true&reasons=true", "reasons"),
        ("reasons", "(query)"),
        ("reason=true", "(query)"),
        ("interval=false", "interval"),
        ("interval=true&interval=true", "interval"),
        ("reasons=true&interval=1", "interval"),
        ("reasons=true&x=1", "(query)"),
        ("%ff=%fe", "(query)"),
        ("&".join(["a=1"] * 50), "(query)"),
    ],
)
def test_any_other_query_is_refused(
    call: Call, approved: Row, query: str, field: str
) -> None:
    response = call("POST", f"/predict?{query}", json=approved)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


INTERVAL = {"low": 0.25, "high": 0.75, "level": 0.9}


@pytest.mark.parametrize(
    "query",
    ["interval=true", "interval=true&reasons=true", "reasons=true&interval=true"],
)
def test_the_interval_of_the_pd_is_given_when_asked(
    call: Call, approved: Row, query: str
) -> None:
    alone = call("POST", f"/predict?{query}", json=approved).json()
    (beside,) = call("POST", f"/predict/batch?{query}", json=[approved]).json()
    assert alone["pd_interval"] == beside["pd_interval"] == INTERVAL
    assert bool(alone["reasons"]) is ("reasons" in query)


def test_without_a_pd_there_is_no_interval(call: Call, without_history: Row) -> None:
    alone = call("POST", "/predict?interval=true", json=without_history).json()
    (beside,) = call(
        "POST", "/predict/batch?interval=true", json=[without_history]
    ).json()
    assert alone["pd_interval"] is beside["pd_interval"] is None


def test_an_applicant_unlike_all_in_training_is_referred_alone_and_in_a_batch(
    call: Call, approved: Row, runner: InProcessRunner
) -> None:
    far = {**approved, "amount": 0.25}
    batch = call("POST", "/predict/batch", json=[approved, far, approved]).json()
    alone = call("POST", "/predict", json=far).json()
    for answer in (alone, batch[1]):
        assert answer["decision"] == "refer"
        assert answer["reasons"] == [
            {
                "code": "POLICY_OUTSIDE_TRAINING",
                "feature": "size",
                "text": "We know none like it.",
                "points": None,
            }
        ]
    assert [answer["decision"] for answer in batch] == ["approve", "refer", "approve"]
    columns = {"days_late_1": np.array([0.0]), "amount": np.array([0.25])}
    decided = runner.engine.decide(columns, explain=False).row(0)
    assert (decided.decision, decided.pd, decided.score) == (
        alone["decision"],
        alone["pd"],
        alone["score"],
    )


def test_an_encoded_query_means_the_same(call: Call, approved: Row) -> None:
    response = call("POST", "/predict?%72easons=tru%65", json=approved)
    assert response.status_code == 200
    assert response.json()["reasons"]


def test_an_invalid_application_names_each_field_and_no_value(call: Call) -> None:
    row = {"loan_id": "L-1", "amount": -77777, "days_late_1": "late", "colour": "teal"}
    response = call("POST", "/predict", json=row)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["title"] == "Bad Request"
    assert problem["status"] == 400
    assert problem["type"] == "tag:credit-scoring,2026:invalid-request"
    fields = {error["field"] for error in problem["errors"]}
    assert fields == {"amount", "days_late_1", "colour"}
    assert not re.search('77777|late"|teal', json.dumps(problem["errors"]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"loan_id": NaN}',
        b"[" * 1000,
        b'{"loan_id": "L-1", "amount": 1e999, "days_late_1": 0}',
        b'{"loan_id": "L-1", "amount": 1, "amount": 2, "days_late_1": 0}',
        b'{"loan_id": "\\ud800", "amount": 1, "days_late_1": 0}',
        b'{"loan_id": "a b", "amount": 1, "days_late_1": 0}',
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_a_body_that_is_no_application_is_a_400(
    call: Call, body: bytes, path: str
) -> None:
    if path == "/predict/batch" and body.startswith(b'{"'):
        body = b"[" + body + b"]"
    headers = {"content-type": "application/json"}
    response = call("POST", path, content=body, headers=headers)
    if path == "/predict/batch" and response.status_code == 200:
        assert [list(entry) for entry in response.json()] == [["error"]]
    else:
        assert response.status_code == 400
        assert response.json()["errors"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON ;charset="UTF-8"',
    ],
)
def test_json_in_utf8_is_taken(call: Call, approved: Row, content_type: str) -> None:
    response = call(
        "POST",
        "/predict",
        content=json.dumps(approved),
        headers={"content-type": content_type},
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("content-type", "text/plain")],
        [("content-type", "application/json; charset=latin-1")],
        [("content-type", "application/json; profile=x")],
        [("content-type", "application/vnd.bentoml+pickle")],
        [("content-type", "application/json"), ("content-type", "application/json")],
        [("content-type", "application/json"), ("content-encoding", "gzip")],
    ],
)
def test_any_other_type_or_coding_is_a_415(
    call: Call, approved: Row, headers: list[tuple[str, str]]
) -> None:
    response = call("POST", "/predict", content=json.dumps(approved), headers=headers)
    assert response.status_code == 415
    assert response.headers["content-type"] == "application/problem+json"


def test_a_body_above_the_limit_is_a_413(call: Call, approved: Row) -> None:
    body = json.dumps(approved).ljust(2049)
    headers = {"content-type": "application/json"}
    assert call("POST", "/predict", content=body, headers=headers).status_code == 413
    fitting = call("POST", "/predict", content=body[:2048], headers=headers)
    assert fitting.status_code == 200


def test_a_batch_answers_each_row_in_its_place(
    call: Call,
    engine_calls: list[int],
    approved: Row,
    declined: Row,
    without_history: Row,
) -> None:
    rows = [approved, {"loan_id": "L-9"}, without_history, "no object", declined]
    response = call("POST", "/predict/batch", json=rows)
    assert response.status_code == 200
    answers = response.json()
    said = [answer.get("decision", "error") for answer in answers]
    assert said == ["approve", "error", "refer", "error", "decline"]
    assert answers[1]["error"]["status"] == 400
    assert answers[1]["error"]["errors"][0]["field"] == "amount"
    assert engine_calls == [2], "all complete rows are computed by one call"


def test_a_batch_gives_what_single_requests_give(
    call: Call, approved: Row, declined: Row
) -> None:
    volatile = {"decision_id", "scored_at"}
    batch = call("POST", "/predict/batch", json=[approved, declined]).json()
    for row, answer in zip([approved, declined], batch, strict=True):
        alone = call("POST", "/predict", json=row).json()
        assert {k: v for k, v in alone.items() if k not in volatile} == {
            k: v for k, v in answer.items() if k not in volatile
        }


def test_a_batch_gives_reasons_of_approvals_when_asked(
    call: Call, approved: Row
) -> None:
    (answer,) = call("POST", "/predict/batch?reasons=true", json=[approved]).json()
    assert answer["reasons"]


def test_an_empty_batch_is_a_400(call: Call) -> None:
    response = call("POST", "/predict/batch", json=[])
    assert response.status_code == 400
    assert "at least one" in response.json()["errors"][0]["message"]


def test_too_many_rows_are_a_413(call: Call, approved: Row) -> None:
    response = call("POST", "/predict/batch", json=[approved] * 21)
    assert response.status_code == 413
    assert "more than the 20 applications" in response.json()["detail"]
    fitting = call("POST", "/predict/batch", json=[approved] * 20)
    assert len(fitting.json()) == 20


def test_a_row_that_breaks_the_model_harms_no_other(
    call: Call, approved: Row, breaking: Row
) -> None:
    answers = call("POST", "/predict/batch", json=[approved, breaking, approved]).json()
    assert [answer.get("decision") for answer in answers] == [
        "approve",
        None,
        "approve",
    ]
    assert answers[1]["error"]["status"] == 500


def test_a_fault_of_ours_leaks_nothing(
    call: Call, breaking: Row, caplog: pytest.LogCaptureFixture
) -> None:
    response = call("POST", "/predict", json=breaking)
    assert response.status_code == 500
    problem = response.json()
    assert "666" not in response.text
    assert problem["type"].endswith("internal-error")
    identifier = problem["instance"].removeprefix("urn:uuid:")
    assert f"incident {identifier}: ZeroDivisionError at " in caplog.text
    assert "margin" in caplog.text
    assert "secret" not in caplog.text
    assert "666" not in caplog.text


def test_requests_and_decisions_are_counted(
    call: Call, registry: CollectorRegistry, approved: Row, without_history: Row
) -> None:
    call("POST", "/predict", json=approved)
    call("POST", "/predict", json=without_history)
    call("POST", "/predict", json={})
    call("GET", "/any/path/at/all")

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"credit_scoring_{name}", labels)

    assert value("requests_total", route="/predict", status="200") == 2
    assert value("requests_total", route="/predict", status="400") == 1
    assert value("requests_total", route="other", status="404") == 1
    assert value("request_duration_seconds_count", route="/predict") == 3
    assert (
        value(
            "decisions_total",
            role="champion",
            decision="refer",
            feature_source="degraded",
        )
        == 1
    )
