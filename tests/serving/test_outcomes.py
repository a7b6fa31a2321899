"""Outcomes over HTTP: kept on the disk before they are answered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.decision_log.reader import verify_log
from credit_scoring.decision_log.records import OutcomeEntry
from credit_scoring.serving.settings import Settings

Call = Callable[..., httpx.Response]
RIGHT = {"loan_id": "L-1", "bad": 1, "observed_at": "2026-03-01"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "some outcomes"


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(
        outcomes_dir=str(folder), max_batch_body_bytes=4096, max_batch_rows=3
    )


def kept(folder: Path) -> list[OutcomeEntry]:
    found: list[OutcomeEntry] = []
    report = verify_log(folder, heard=lambda logged: found.append(logged.entry))
    assert not report.faults
    assert report.outcomes == report.records == len(found)
    return found


def test_one_outcome_is_kept_before_it_is_answered(call: Call, folder: Path) -> None:
    answer = call("POST", "/outcomes", json=RIGHT)
    assert answer.status_code == 200
    (entry,) = kept(folder)
    assert (entry.loan_id, entry.bad) == ("L-1", 1)
    assert answer.json()["recorded"] is True


def test_a_wrong_one_is_a_problem_by_field(call: Call, folder: Path) -> None:
    answer = call("POST", "/outcomes", json={"loan_id": "secret one", "bad": 5})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    fields = [error["field"] for error in answer.json()["errors"]]
    assert fields == ["loan_id", "bad", "observed_at"]
    assert "secret" not in answer.text
    assert not folder.exists()


def test_a_wrong_row_has_its_error_in_its_place(
    call: Call, folder: Path, registry: CollectorRegistry
) -> None:
    rows = [RIGHT, {**RIGHT, "bad": 7}, {**RIGHT, "loan_id": "L-2"}]
    answer = call("POST", "/outcomes", json=rows)
    assert answer.status_code == 200
    first, second, third = answer.json()
    assert (first["recorded"], third["recorded"]) == (True, True)
    assert second["error"]["errors"][0]["field"] == "bad"
    assert [entry.loan_id for entry in kept(folder)] == ["L-1", "L-2"]
    name = "credit_scoring_outcomes_total"
    assert registry.get_sample_value(name, {"result": "recorded"}) == 2
    assert registry.get_sample_value(name, {"result": "rejected"}) == 1


def test_lines_are_answered_by_lines(call: Call, folder: Path) -> None:
    body = json.dumps(RIGHT) + "\n{]\n\n" + json.dumps({**RIGHT, "bad": 0}) + "\n"
    answer = call(
        "POST",
        "/outcomes",
        content=body,
        headers={"content-type": "application/x-ndjson"},
    )
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [("error" in row) for row in rows] == [False, True, False]
    assert [entry.bad for entry in kept(folder)] == [1, 0]


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "no rows": ({"json": []}, 400),
    "no json": (
        {"content": b"{", "headers": {"content-type": "application/json"}}, 400,
    ),
    "too many": ({"json": [RIGHT] * 4}, 413),
    "too large": ({"json": [{"loan_id": "x" * 5000}]}, 413),
    "csv": ({"content": b"a", "headers": {"content-type": "text/csv"}}, 415),
    "a parameter": ({"json": RIGHT, "params": {"dry": "1"}}, 400),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "status"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_taken_is_refused(
    call: Call, folder: Path, request_: dict[str, Any], status: int
) -> None:
    answer = call("POST", "/outcomes", **request_)
    assert answer.status_code == status
    assert not folder.exists()


def test_what_cannot_be_kept_is_not_taken(
    call: Call, folder: Path, registry: CollectorRegistry
) -> None:
    folder.write_text("a file stands where the folder should be")
    answer = call("POST", "/outcomes", json=RIGHT)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"].endswith(":outcome-not-recorded")
    name = "credit_scoring_outcomes_total"
    assert registry.get_sample_value(name, {"result": "refused"}) == 1
