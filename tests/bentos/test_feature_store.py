"""The served Bento with a real store of histories, healthy and not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import redis

from credit_scoring.contract.model import Contract, Role
from credit_scoring.serving.local_redis import LocalRedis, start_local_redis
from credit_scoring.serving.local_server import (
    LocalServer,
    free_port,
    has_ended,
    is_ready,
)

Row = dict[str, Any]

pytestmark = pytest.mark.end_to_end

METRIC = "credit_scoring_feature_store"


@dataclass
class Served:
    """A service and its store."""

    url: str
    store: LocalRedis

    @property
    def keys(self) -> list[bytes]:
        with redis.Redis.from_url(self.store.url) as client:
            found: list[bytes] = client.keys()
            return found

    def predict(self, row: Row) -> Row:
        response = httpx.post(f"{self.url}/predict?reasons=true", json=row)
        assert response.status_code == 200
        answer: Row = response.json()
        return answer

    def metric(self, name: str) -> float:
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        return sum(
            float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)
        )

    @property
    def server(self) -> psutil.Process:
        (server,) = psutil.Process(self.store.guard.pid).children()
        return server


@pytest.fixture(scope="module")
def served(bento: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    store = start_local_redis()
    environment = {
        "CREDIT_SCORING_REDIS_URL": store.url,
        "CREDIT_SCORING_REDIS_TIMEOUT_MS": "100",
        "CREDIT_SCORING_REDIS_RETRY_MS": "100",
    }
    log = tmp_path_factory.mktemp("store") / "server.log"
    try:
        with LocalServer(bento, log).running(environment=environment) as url:
            yield Served(url, store)
    finally:
        store.release()


@pytest.fixture(scope="module")
def bare(contract: Contract) -> Callable[[Row], Row]:
    history = contract.names(Role.HISTORY)
    return lambda row: {key: row[key] for key in row if key not in history}


def decided(answer: Row) -> Row:
    own = ("decision_id", "scored_at", "feature_source")
    return {key: value for key, value in answer.items() if key not in own}


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.02)


def test_a_history_from_the_store_decides_to_the_bit(
    served: Served, applications: list[Row], bare: Callable[[Row], Row]
) -> None:
    sent = [served.predict(row) for row in applications[:60]]
    batch = f"{served.url}/predict/batch?reasons=true"
    sent += httpx.post(batch, json=applications[60:]).json()
    until(lambda: len(served.keys) == len(applications))
    stored = [served.predict(bare(row)) for row in applications]
    assert {answer["feature_source"] for answer in sent} == {"request"}
    assert {answer["feature_source"] for answer in stored} == {"store"}
    assert [*map(decided, stored)] == [*map(decided, sent)]
    at_once = httpx.post(batch, json=[bare(row) for row in applications]).json()
    assert {answer["feature_source"] for answer in at_once} == {"store"}
    assert [*map(decided, at_once)] == [*map(decided, sent)]
    assert served.metric(f'{METRIC}_lookups_total{{result="hit"}}') == 600
    assert served.metric(f"{METRIC}_writes_total") == 300
    assert served.metric(f"{METRIC}_errors_total") == 0


@contextlib.contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def test_answers_go_on_while_the_store_hangs(
    served: Served, applications: list[Row], bare: Callable[[Row], Row]
) -> None:
    row = applications[0]
    sent = served.predict(row)
    until(lambda: served.predict(bare(row))["feature_source"] == "store")
    with frozen(served.server):
        slowest = 0.0
        for _ in range(20):
            started = time.perf_counter()
            answer = served.predict(bare(row))
            slowest = max(slowest, time.perf_counter() - started)
            assert answer["feature_source"] == "degraded"
            assert answer["decision"] == "refer"
            assert [r["code"] for r in answer["reasons"]] == ["HISTORY_UNAVAILABLE"]
            assert decided(served.predict(row)) == decided(sent)
        assert slowest < 1
        assert served.metric(f"{METRIC}_circuit_state") >= 1
        assert httpx.get(f"{served.url}/readyz").status_code == 200
    until(lambda: served.predict(bare(row))["feature_source"] == "store")
    assert decided(served.predict(bare(row))) == decided(sent)
    assert served.metric(f"{METRIC}_circuit_state") == 0
    assert (
        served.metric(f'{METRIC}_errors_total{{kind="timeout",operation="read"}}') > 0
    )


def test_what_waits_is_written_when_the_service_stops(
    bento: str, applications: list[Row], tmp_path: Path
) -> None:
    store = start_local_redis()
    try:
        environment = {"CREDIT_SCORING_REDIS_URL": store.url}
        log = tmp_path / "server.log"
        with LocalServer(bento, log).running(environment=environment) as url:
            rows = [
                {**row, "loan_id": f"{turn}-{row['loan_id']}"}
                for turn in range(10)
                for row in applications
            ]
            assert httpx.post(f"{url}/predict/batch", json=rows, timeout=30)
        assert len(Served(url, store).keys) == len(rows)
        assert "Traceback" not in log.read_text()
    finally:
        store.release()


def command_of(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return list(process.cmdline())
    return []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_local_store_goes_with_the_service(
    released: Path, applications: list[Row], number: int
) -> None:
    port = free_port()
    environment = dict(os.environ)
    environment.pop("CREDIT_SCORING_REDIS_URL", None)
    service = subprocess.Popen(
        [sys.executable, "-m", "credit_scoring.serve", "--port", str(port)],
        cwd=released,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    family: list[psutil.Process] = []
    try:
        until(lambda: is_ready(port), 60)
        family = psutil.Process(service.pid).children(recursive=True)
        stores = [process for process in family if "valkey" in process.name()]
        assert len(stores) == 1
        httpx.post(f"http://127.0.0.1:{port}/predict", json=applications[0])
        service.send_signal(number)
        service.wait(30)
        for process in family:
            # BentoML's supervisor, if it is killed, leaves its workers behind.
            if "_bentoml_impl.worker" in " ".join(command_of(process)):
                process.kill()
        until(lambda: has_ended(stores[0]))
    finally:
        service.kill()
        service.wait()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
