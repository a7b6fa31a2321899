"""Restarts under load, with clients that keep connections and never retry."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from credit_scoring.serving.local_server import LocalServer

from .traffic import Switch, Tally, traffic

pytestmark = [pytest.mark.end_to_end, pytest.mark.faults]

Row = dict[str, Any]


def workers(port: int) -> list[psutil.Process]:
    """Worker processes that serve a port, the oldest first."""
    found = [
        process
        for process in psutil.Process().children(recursive=True)
        if "_bentoml_impl.worker.service" in " ".join(process.cmdline())
        and str(port) in " ".join(process.parent().cmdline())
    ]
    return sorted(found, key=psutil.Process.create_time)


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


@pytest.fixture
def two_workers(bento: str, tmp_path: Path) -> Iterator[str]:
    server = LocalServer(bento, tmp_path / "log")
    with server.running(environment={"CREDIT_SCORING_WORKERS": "2"}) as url:
        deadline = time.monotonic() + 60
        while len(workers(port_of(url))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(5)  # the second one starts, too
        yield url


def test_replacing_each_worker_in_turn_loses_nothing(
    two_workers: str, applications: list[Row], fault: Callable[..., None]
) -> None:
    port = port_of(two_workers)
    with traffic(port, applications) as tally:
        time.sleep(1)
        for worker in workers(port):
            os.kill(worker.pid, signal.SIGTERM)
            worker.wait(30)
            deadline = time.monotonic() + 60
            while len(workers(port)) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            time.sleep(6)  # the new one starts
    assert_nothing_lost(tally, 500)
    told(fault, "rolling restart, worker by worker", tally)


def assert_nothing_lost(tally: Tally, at_least: int) -> None:
    assert tally.failures == []
    assert tally.answered > at_least


def told(fault: Callable[..., None], name: str, tally: Tally) -> None:
    slowest = f"slowest answer {1000 * tally.slowest_seconds:.0f} ms"
    fault(name, sent=tally.sent, failed=len(tally.failures), lost=0, seen=slowest)


def test_replacing_each_server_in_turn_loses_nothing(
    bento: str, applications: list[Row], tmp_path: Path, fault: Callable[..., None]
) -> None:
    with ExitStack() as stack:
        serving = [
            start(LocalServer(bento, tmp_path / f"log {number}"), stack)
            for number in range(2)
        ]
        switch = Switch([port_of(url) for url, _ in serving])
        stack.callback(switch.close)
        with traffic(switch.port, applications) as tally:
            time.sleep(1)
            for number, (url, stop) in enumerate(serving):
                stop.close()
                new, _ = start(LocalServer(bento, tmp_path / f"log 1{number}"), stack)
                switch.replace(port_of(url), port_of(new))
                while port_of(new) not in switch.knows_ready():
                    time.sleep(0.05)
                time.sleep(1)
    assert_nothing_lost(tally, 500)
    told(fault, "rolling restart, server by server behind a gateway", tally)


def start(server: LocalServer, outer: ExitStack) -> tuple[str, ExitStack]:
    """Serve until the given stack, or the outer one, is closed."""
    stack = outer.enter_context(ExitStack())
    return stack.enter_context(server.running()), stack


def test_readiness_is_off_first_and_everything_is_still_answered(
    bento: str, applications: list[Row], tmp_path: Path
) -> None:
    server = LocalServer(bento, tmp_path / "log")
    environment = {"CREDIT_SCORING_DRAIN_MS": "2000"}
    with server.running(environment=environment) as url:
        (worker,) = workers(port_of(url))
        with httpx.Client(base_url=url) as client:
            assert client.get("/readyz").status_code == 200
            os.kill(worker.pid, signal.SIGTERM)
            time.sleep(0.5)
            ready = client.get("/readyz")
            assert ready.status_code == 503
            assert ready.json()["type"].endswith("leaving")
            answer = client.post("/predict", json=applications[0])
            assert answer.status_code == 200
            assert answer.headers["connection"] == "close"
            assert client.get("/livez").headers["connection"] == "close"
        worker.wait(30)
