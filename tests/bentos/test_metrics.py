"""The metrics of several workers, of killed ones, and of servers side by side."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from credit_scoring.serving.local_server import LocalServer

from .test_restart import port_of, workers

pytestmark = pytest.mark.end_to_end

Row = dict[str, Any]
PATIENCE_SECONDS = 60.0


def samples(url: str) -> dict[str, float]:
    """Read the metrics, as sums over all labels but a histogram's bounds."""
    sums: Counter[str] = Counter()
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics").text):
        for sample in family.samples:
            if not sample.name.endswith("_bucket"):
                sums[sample.name] += sample.value
    return sums


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something that comes by itself."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def decide(url: str, rows: list[Row], each: int) -> dict[int, int]:
    """Have rows decided on new connections until each worker has answered some.

    Returns:
        Process number of each worker -> how many connections it took.
    """
    taken: Counter[int] = Counter()
    number = 0
    while number < each or len(taken) < len(workers(port_of(url))):
        with httpx.Client(base_url=url) as client:
            assert client.post("/predict", json=rows[number % len(rows)]).is_success
            taken[taker(port_of(url), client)] += 1
        number += 1
        assert number < each + 1000
    return taken


def taker(port: int, client: httpx.Client) -> int:
    """Find the worker that has the client's connection."""
    stream = client._transport._pool.connections[0]._connection._network_stream  # type: ignore[attr-defined]
    ours = stream.get_extra_info("client_addr")
    for worker in workers(port):
        for connection in worker.net_connections("tcp"):
            if connection.raddr and connection.raddr.port == ours[1]:
                return int(worker.pid)
    raise AssertionError("nobody has the connection")


def all_ready(url: str, number: int) -> None:
    """Wait until so many workers listen and have loaded their models."""
    eventually(lambda: len(workers(port_of(url))) == number)
    eventually(lambda: shown(url) == number)


def shown(url: str) -> int:
    """Count the workers that show their models."""
    folder = metrics_folder(url)
    return sum(
        psutil.pid_exists(int(file.stem.rpartition("_")[2]))
        for file in folder.glob("gauge_livemax_*.db")
    )


def metrics_folder(url: str) -> Path:
    environment = workers(port_of(url))[0].environ()
    return Path(environment["CREDIT_SCORING_METRICS_DIR"])


def test_whichever_worker_is_asked_shows_what_all_have_done(
    bento: str, applications: list[Row], tmp_path: Path
) -> None:
    server = LocalServer(bento, tmp_path / "log")
    environment = {
        "CREDIT_SCORING_WORKERS": "2",
        "CREDIT_SCORING_DECISION_LOG_DIR": str(tmp_path / "decisions"),
    }
    with server.running(environment=environment) as url:
        all_ready(url, 2)
        taken = decide(url, applications, 40)
        assert len(taken) == 2
        sent = sum(taken.values())

        def agrees() -> bool:
            found = samples(url)
            return (
                found["credit_scoring_decisions_total"] == sent
                and found["credit_scoring_score_count"] == sent
                and found["credit_scoring_decision_log_records_total"] == sent
                and found["credit_scoring_live_window_decisions"] == sent
            )

        # Another worker's notes are counted a moment later, and no more than once.
        eventually(agrees)
        assert all(agrees() for _ in range(20))
        # Two models of each worker: the gauge is their highest, not their sum.
        assert samples(url)["credit_scoring_model_info"] == 2

        state = httpx.get(f"{url}/monitoring").json()
        assert state["decisions"]["total"] == state["live"]["applications"] == sent
        (killed, *_) = workers(port_of(url))
        before = metrics_folder(url)
        killed.kill()
        killed.wait(30)
        eventually(lambda: killed not in workers(port_of(url)))
        all_ready(url, 2)
        assert metrics_folder(url) == before
        assert all(agrees() for _ in range(20))
        gone = f"_{killed.pid}.db"
        left = [f.name for f in before.iterdir() if f.name.endswith(gone)]
        assert left
        assert not [name for name in left if name.startswith("gauge_live")]
        sent += sum(decide(url, applications, 20).values())
        eventually(agrees)
    assert not before.exists()


def test_servers_side_by_side_keep_their_metrics_apart(
    bento: str, applications: list[Row], tmp_path: Path
) -> None:
    """As when one is replaced by another without a gap."""
    name = "credit_scoring_decisions_total"
    first = LocalServer(bento, tmp_path / "log 1")
    second = LocalServer(bento, tmp_path / "log 2")

    def own(number: int) -> dict[str, str]:
        return {"CREDIT_SCORING_DECISION_LOG_DIR": str(tmp_path / f"log of {number}")}

    with first.running(environment=own(1)) as url:
        for row in applications[:5]:
            httpx.post(f"{url}/predict", json=row)
        with second.running(environment=own(2)) as other:
            for row in applications[:3]:
                httpx.post(f"{other}/predict", json=row)
            assert samples(url)[name] == 5
            assert samples(other)[name] == 3
        assert samples(url)[name] == 5
