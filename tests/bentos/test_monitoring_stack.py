"""The service breaks, and an alert arrives; dashboards have something to show."""

import json
import math
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import yaml

from credit_scoring.contract.model import Contract, Role
from credit_scoring.serving.local_redis import start_local_redis
from credit_scoring.serving.local_server import LocalServer

from .monitoring_stack import DEPLOYMENT, MonitoringStack, eventually, monitoring_stack

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(
        not shutil.which("prometheus")
        or not (
            shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
        ),
        reason="Prometheus and Alertmanager are not installed "
        "(Debian: apt-get install prometheus prometheus-alertmanager)",
    ),
]

Row = dict[str, Any]
DASHBOARDS = sorted((DEPLOYMENT / "grafana" / "dashboards").glob("*.json"))
# Panels without data here, and why; besides them those of awaited metrics.
WITHOUT_DATA = {
    "Models that XGBoost computes": "no compiled trees of these models disagree",
}

OUTCOME = {"loan_id": "seen", "bad": 0, "observed_at": "2026-01-31T00:00:00Z"}


@dataclass
class Watched:
    """A service, its parts that can be broken, and who watches it."""

    url: str
    store: psutil.Process
    decisions: Path
    stack: MonitoringStack


@pytest.fixture(scope="module")
def watched(
    bento: str,
    applications: list[Row],
    contract: Contract,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("monitoring stack")
    store = start_local_redis()
    (server,) = psutil.Process(store.guard.pid).children()
    environment = {
        "CREDIT_SCORING_REDIS_URL": store.url,
        "CREDIT_SCORING_REDIS_TIMEOUT_MS": "100",
        "CREDIT_SCORING_REDIS_RETRY_MS": "100",
        "CREDIT_SCORING_ROUTING": "shadow",
        "CREDIT_SCORING_LIVE_WINDOW_LEAST": "20",
        "CREDIT_SCORING_MAX_WAITING_BATCHES": "1",
        "CREDIT_SCORING_DECISION_LOG_DIR": str(folder / "decisions"),
        # A folder that is gone is noticed when the next segment is begun.
        "CREDIT_SCORING_DECISION_LOG_SEGMENT_BYTES": "65536",
    }
    end = threading.Event()
    try:
        with (
            LocalServer(bento, folder / "log").running(environment=environment) as url,
            monitoring_stack(urlsplit(url).netloc, folder) as stack,
        ):
            overload(url, applications)
            traffic = threading.Thread(
                target=ask, args=(url, end, applications, contract)
            )
            traffic.start()
            try:
                yield Watched(url, server, folder / "decisions", stack)
            finally:
                end.set()
                traffic.join(30)
    finally:
        store.release()


def overload(url: str, rows: list[Row]) -> None:
    """Send more batches at once than are let in, until one is refused."""

    def send(_: int) -> int:
        answer = httpx.post(f"{url}/predict/batch", json=rows * 3, timeout=30)
        return answer.status_code

    with ThreadPoolExecutor(6) as senders:
        eventually(lambda: 503 in senders.map(send, range(6)))


def ask(url: str, end: threading.Event, rows: list[Row], contract: Contract) -> None:
    """Ask for everything that a client may ask for, rightly and wrongly."""
    history = contract.names(Role.HISTORY)
    bare = [{k: row[k] for k in row if k not in history} for row in rows]
    number = 0
    with httpx.Client(base_url=url, timeout=30) as client:
        while not end.is_set():
            number += 1
            row = number % len(rows)
            retried = {"idempotency-key": f"key-{number % 20}"}
            client.post("/predict?reasons=true", json=rows[row])
            client.post("/outcomes", json=OUTCOME)
            client.post("/predict", json=bare[row])
            client.post("/predict", json={**bare[row], "loan_id": f"new-{number}"})
            client.post("/predict", json=rows[number % 20], headers=retried)
            if number % 10 == 0:
                client.post("/predict", json={"loan_id": "alone"})
                client.post("/what-if", json=rows[row])
                client.post("/predict/batch", json=rows[:20])
                client.get("/nowhere")
            end.wait(0.1)


def panels() -> list[tuple[str, list[str]]]:
    """Titles of all panels with queries, and these."""
    return [
        (panel["title"], [target["expr"] for target in panel["targets"]])
        for file in DASHBOARDS
        for panel in json.loads(file.read_bytes())["panels"]
        if "targets" in panel
    ]


def awaited() -> list[str]:
    file = DEPLOYMENT / "prometheus" / "awaited_metrics.yml"
    return list(yaml.safe_load(file.read_text(encoding="utf-8")) or {})


def test_every_query_of_the_dashboards_returns_data(watched: Watched) -> None:
    empty = {
        (title, query)
        for title, queries in panels()
        for query in queries
        if title not in WITHOUT_DATA and not any(name in query for name in awaited())
    }
    assert len(empty) > 40

    def are_answered() -> bool:
        for title, query in list(empty):
            values = watched.stack.values(query.replace("$__rate_interval", "10s"))
            if any(not math.isnan(value) for value in values):
                empty.remove((title, query))
        return not empty

    try:
        eventually(are_answered)
    except AssertionError:
        pytest.fail(f"no data: {sorted(empty)}")


def test_every_rule_is_evaluated_without_an_error(watched: Watched) -> None:
    rules = watched.stack.rules()
    assert len(rules) > 40
    assert {rule["name"]: rule.get("lastError", "") for rule in rules} == {
        rule["name"]: "" for rule in rules
    }
    recorded = [rule["name"] for rule in rules if rule["type"] == "recording"]
    assert len(recorded) > 15
    assert not [name for name in recorded if not watched.stack.values(name)]


def test_panels_without_data_are_still_without(watched: Watched) -> None:
    for title, queries in panels():
        if title in WITHOUT_DATA or any(n in q for q in queries for n in awaited()):
            for query in queries:
                asked = query.replace("$__rate_interval", "10s")
                assert watched.stack.values(asked) == [], f"{title} has data now"


def test_what_breaks_is_told_and_told_again_when_it_is_mended(
    watched: Watched, applications: list[Row]
) -> None:
    receiver = watched.stack.receiver
    told = ("CreditScoringDecisionsNotRecorded", "CreditScoringFeatureStoreNotAsked")
    path, _ = receiver.wait_for("Watchdog", "firing")
    assert path == "/watchdog"
    assert not [name for name in told if receiver.received(name, "firing")]

    away = watched.decisions.with_name("elsewhere")
    watched.decisions.rename(away)
    watched.store.suspend()
    try:
        eventually(lambda: status_of(watched, applications[0]) == 503)
        unrecorded, unasked = (receiver.wait_for(name, "firing") for name in told)
    finally:
        watched.store.resume()
        away.rename(watched.decisions)
    for (path, alert), severity in ((unrecorded, "critical"), (unasked, "warning")):
        assert path == f"/{severity}"
        assert alert["labels"] == {
            "alertname": alert["labels"]["alertname"],
            "job": "credit_scoring",
            "severity": severity,
        }
        anchor = alert["labels"]["alertname"].lower()
        assert alert["annotations"]["runbook"].endswith(f"#{anchor}")
        assert alert["annotations"]["summary"]

    for name in told:
        path, alert = receiver.wait_for(name, "resolved")
        assert alert["endsAt"] > alert["startsAt"]
    assert status_of(watched, applications[0]) == 200


def status_of(watched: Watched, row: Row) -> int:
    return httpx.post(f"{watched.url}/predict", json=row).status_code
