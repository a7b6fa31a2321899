"""The decision log of a served Bento, whose worker is killed under load."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import psutil
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.decision_log.reader import read_decisions, verify_log
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.serving.local_server import LocalServer

Row = dict[str, Any]

pytestmark = pytest.mark.end_to_end


def test_a_logged_decision_can_be_decided_again_to_the_bit(
    url: str,
    decisions: Path,
    applications: list[Row],
    artifacts: Path,
    contract: Contract,
) -> None:
    rows = [{**row, "sex": 1, "loan_id": f"R{row['loan_id']}"} for row in applications]
    single = [
        httpx.post(f"{url}/predict?reasons=true", json=row).json() for row in rows[:20]
    ]
    batch = httpx.post(f"{url}/predict/batch", json=rows[20:]).json()
    asked = {answer["decision_id"] for answer in [*single, *batch]}
    logged = [
        one.entry for one in read_decisions(decisions) if one.entry.decision_id in asked
    ]
    assert len(logged) == len(rows)
    assert not verify_log(decisions).faults

    artifact = load_artifact(artifacts / "champion")
    decoder = RequestDecoder(contract)
    for entry in logged:
        assert "sex" not in entry.inputs
        body = msgspec.json.encode({"loan_id": entry.loan_id, **entry.inputs})
        columns = decoder.columns([decoder.decode(body)])
        again = artifact.engine.decide(columns, explain=entry.explained)
        row = entry.feature_row()
        assert row is not None
        assert again.features.tobytes() == row.tobytes()
        (decision,) = again.rows()
        assert (decision.margin, decision.pd, decision.score, decision.decision) == (
            entry.margin,
            entry.pd,
            entry.score,
            entry.decision,
        )
        assert [(r.code, r.feature, r.points) for r in decision.reasons] == [
            (r.code, r.feature, r.points) for r in entry.reasons
        ]
        assert entry.model.digest == artifact.digest


def test_the_metrics_count_the_log(url: str, applications: list[Row]) -> None:
    httpx.post(f"{url}/predict", json=applications[0])
    text = httpx.get(f"{url}/metrics").text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert float(values["credit_scoring_decision_log_records_total"]) >= 1
    assert float(values["credit_scoring_decision_log_errors_total"]) == 0
    assert float(values["credit_scoring_decision_log_bytes"]) > 1000
    assert 0 <= float(values["credit_scoring_decision_log_lag_seconds"]) < 5


@pytest.mark.faults
def test_a_killed_worker_loses_nothing_and_the_next_goes_on(
    bento: str,
    applications: list[Row],
    tmp_path: Path,
    fault: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {p.pid for p in psutil.Process().children(recursive=True)}
    environment = {"CREDIT_SCORING_DECISION_LOG_DIR": "a log"}
    folder = tmp_path / "a log"
    answers: list[Row] = []
    cut: list[int] = []
    leaving = threading.Event()
    with LocalServer(bento, tmp_path / "server.log").running(
        environment=environment
    ) as url:

        def ask() -> None:
            address = urlsplit(url).netloc
            turn = 0
            while not leaving.is_set():
                connection = http.client.HTTPConnection(address, timeout=10)
                try:
                    while not leaving.is_set():
                        turn += 1
                        body = json.dumps(applications[turn % len(applications)])
                        headers = {"content-type": "application/json"}
                        connection.request("POST", "/predict", body, headers)
                        answers.append(json.load(connection.getresponse()))
                except (OSError, http.client.HTTPException):
                    cut.append(turn)
                    time.sleep(0.05)
                finally:
                    connection.close()

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(answers) > 300)
        (killed,) = [
            process
            for process in psutil.Process().children(recursive=True)
            if process.pid not in before
            and "_bentoml_impl.worker.service" in " ".join(process.cmdline())
        ]
        killed.kill()
        count = len(answers)
        wait_for(lambda: len(answers) > count + 300)
        leaving.set()
        for thread in threads:
            thread.join(30)

    logged = {one.entry.decision_id: one.entry for one in read_decisions(folder)}
    assert not [a for a in answers if a["decision_id"] not in logged]
    for answer in answers:
        assert logged[answer["decision_id"]].pd == answer["pd"]
    report = verify_log(folder)
    assert report.faults == ()
    assert [segment.state for segment in report.segments] == ["ended", "closed"]
    fault(
        "the only worker of a Bento killed",
        sent=len(answers) + len(cut),
        failed=len(cut),
        lost=0,
        seen=(
            f"cut or not accepted until there was another worker; {report.records} "
            "decisions in the log"
        ),
    )


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
