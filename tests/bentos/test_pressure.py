"""Too many clients at a real server: some are told to come back, nobody hangs."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from credit_scoring.serving.local_server import LocalServer

from .paced_client import request
from .raw_http import Answer, Wire
from .test_metrics import eventually, samples

pytestmark = pytest.mark.end_to_end

Row = dict[str, Any]
CONNECTIONS = 256
ROUNDS = 12
MOST_WAITING = 8


@pytest.fixture
def narrow(bento: str, tmp_path: Path) -> Iterator[str]:
    """Address of a server that decides on few at a time."""
    environment = {
        "CREDIT_SCORING_MAX_WAITING": str(MOST_WAITING),
        "CREDIT_SCORING_MAX_WAITING_BATCHES": "2",
        "CREDIT_SCORING_DECISION_LOG_DIR": str(tmp_path / "decisions"),
    }
    with LocalServer(bento, tmp_path / "log").running(environment=environment) as url:
        yield url


def flood(url: str, asked: bytes, rounds: int) -> list[tuple[Answer, float]]:
    """Ask on all connections at once, round after round; answers with seconds.

    Raises:
        TimeoutError: If one of them hangs.
        ClosedError: If one is closed.
    """
    port = int(url.rpartition(":")[2])
    wires = [Wire(port) for _ in range(CONNECTIONS)]
    answers = []
    for _ in range(rounds):
        started = time.perf_counter()
        for wire in wires:
            wire.send([asked])
        for wire in wires:
            answers.append((wire.answer(), time.perf_counter() - started))
    for wire in wires:
        wire.close()
    return answers


def test_a_flood_is_served_in_part_and_leaves_nothing_behind(
    narrow: str, applications: list[Row]
) -> None:
    asked = request(json.dumps(applications[0]).encode())
    answers = flood(narrow, asked, ROUNDS)
    served = [seconds for answer, seconds in answers if answer.status == 200]
    refused = [answer for answer, _ in answers if answer.status == 503]
    assert len(served) + len(refused) == CONNECTIONS * ROUNDS
    assert len(served) >= MOST_WAITING * ROUNDS
    assert refused
    for answer in refused:
        assert answer.header("content-type") == "application/problem+json"
        assert answer.header("retry-after") == "1"
        assert json.loads(answer.body)["type"].endswith("overloaded")
    print(  # noqa: T201 - a figure to look at, not to judge by
        f"{len(answers)} at once from {CONNECTIONS} connections: {len(served)} served,"
        f" p50 {1000 * median(served):.1f} ms; {len(refused)} refused"
    )
    assert samples(narrow)["credit_scoring_overloads_total"] == len(refused)
    with httpx.Client(base_url=narrow) as client:
        after = [client.post("/predict", json=row) for row in applications[:50]]
        assert [response.status_code for response in after] == [200] * 50
        assert client.get("/readyz").status_code == 200


def test_a_flood_of_batches_leaves_single_applications_alone(
    narrow: str, applications: list[Row]
) -> None:
    batch = request(json.dumps(applications).encode(), path=b"/predict/batch")
    answers = flood(narrow, batch, 1)
    assert {answer.status for answer, _ in answers} == {200, 503}
    whole = [json.loads(a.body) for a, _ in answers if a.status == 200]
    assert all(len(rows) == len(applications) for rows in whole)
    response = httpx.post(f"{narrow}/predict", json=applications[0])
    assert response.status_code == 200
    eventually(
        lambda: (
            samples(narrow)["credit_scoring_decisions_total"]
            == 1 + len(whole) * len(applications)
        )
    )
