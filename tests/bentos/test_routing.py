"""Routing of a served Bento: one applicant, one arm; and a challenger that breaks."""

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from credit_scoring.decision.routing import Split
from credit_scoring.decision_log.reader import read_decisions
from credit_scoring.serving.local_server import LocalServer

from .faulty_challenger import VARIABLE
from .traffic import JSON, Tally, traffic

pytestmark = [pytest.mark.end_to_end, pytest.mark.faults]

Row = dict[str, Any]
MANY = 20
SALT = "two workers"
ARMS = Split(share=0.4, salt=SALT)


def workers(url: str) -> set[int]:
    """Process numbers of the scoring service's workers."""
    port = url.rsplit(":", 1)[1]
    return {
        process.pid
        for process in psutil.Process().children(recursive=True)
        if "--service-name credit_scoring " in " ".join(process.cmdline())
        and port in " ".join(process.parent().cmdline())
    }


def asked_alone(url: str, rows: list[Row]) -> dict[str, str]:
    """Who decides on each application, each on a connection of its own."""

    def ask(row: Row) -> tuple[str, str]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        connection.request("POST", "/predict", json.dumps(row), JSON)
        answer = json.load(connection.getresponse())
        connection.close()
        return answer["loan_id"], answer["model"]["role"]

    with ThreadPoolExecutor(8) as pool:
        return dict(pool.map(ask, rows))


def asked_together(url: str, rows: list[Row]) -> dict[str, str]:
    answers = httpx.post(f"{url}/predict/batch", json=rows, timeout=60).json()
    return {answer["loan_id"]: answer["model"]["role"] for answer in answers}


def test_arms_are_the_same_in_each_worker_after_a_restart_and_in_batch(
    bento: str, applications: list[Row], tmp_path: Path
) -> None:
    ids = [row["loan_id"] for row in applications]
    expected = dict(zip(ids, ARMS.arms(ids), strict=True))
    assert set(expected.values()) == {"champion", "challenger"}
    folder = tmp_path / "decisions"
    environment = {
        "CREDIT_SCORING_WORKERS": "2",
        "CREDIT_SCORING_ROUTING": "split",
        "CREDIT_SCORING_CHALLENGER_SHARE": str(ARMS.share),
        "CREDIT_SCORING_ROUTING_SALT": SALT,
        # A challenger that is slow on a busy machine must not look like another arm.
        "CREDIT_SCORING_CHALLENGER_TIMEOUT_MS": "10000",
        "CREDIT_SCORING_DECISION_LOG_DIR": str(folder),
    }
    for restart in range(2):
        server = LocalServer(bento, tmp_path / f"log {restart}")
        with server.running(environment=environment) as url:
            before = decided_by(folder)
            deadline = time.monotonic() + 60
            # Many asked by each worker, at last: connections go to whoever is free.
            while sum(len(ids) > MANY for ids in new(folder, before)) < 2:
                assert asked_alone(url, applications) == expected
                assert asked_together(url, applications) == expected
                assert time.monotonic() < deadline
            assert len(workers(url)) == 2
    entries = [one.entry for one in read_decisions(folder)]
    assert len(decided_by(folder)) == 4
    assert all(entry.arm == expected[entry.loan_id] for entry in entries)


def new(folder: Path, before: set[str]) -> list[set[str]]:
    """Loan ids that each of the workers has decided on that were not there before."""
    if not folder.exists():
        return []
    found: dict[str, set[str]] = {}
    for one in read_decisions(folder):
        found.setdefault(worker_of(one.segment), set()).add(one.entry.loan_id)
    return [ids for worker, ids in found.items() if worker not in before]


def decided_by(folder: Path) -> set[str]:
    """Process numbers of the workers that have recorded decisions."""
    if not folder.exists():
        return set()
    return {worker_of(one.segment) for one in read_decisions(folder)}


def worker_of(segment: str) -> str:
    """Process number of the worker whose segment this is."""
    return segment.split("-")[1]


@dataclass
class Breakable:
    """A service whose challenger breaks as a file says."""

    url: str
    fault: Path
    decisions: Path
    routing: str
    runners: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @contextmanager
    def broken(self, how: str) -> Iterator[None]:
        replaced(self.fault, how)
        try:
            yield
        finally:
            replaced(self.fault, "none")

    def left_out(self) -> float:
        """Count the applications without their challenger, of whatever kind."""
        shadow = "credit_scoring_shadow_left_out_total"
        split = "credit_scoring_challenger_fallbacks_total"
        name = shadow if self.routing == "shadow" else split
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        return sum(float(x.rsplit(" ", 1)[1]) for x in lines if x.startswith(name))


def replaced(path: Path, text: str) -> None:
    """Write a file at once: who reads it sees the old text or the new one."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


@pytest.fixture(
    scope="module",
    params=[(r, s) for r in ("in_process", "apart") for s in ("split", "shadow")],
    ids="-".join,
)
def breakable(
    request: pytest.FixtureRequest,
    faulty: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Breakable]:
    runners, routing = request.param
    folder = tmp_path_factory.mktemp("breakable")
    fault = folder / "fault"
    replaced(fault, "none")
    environment = {
        VARIABLE: str(fault),
        "CREDIT_SCORING_RUNNERS": runners,
        "CREDIT_SCORING_ROUTING": routing,
        "CREDIT_SCORING_CHALLENGER_SHARE": "0.5",
        "CREDIT_SCORING_CHALLENGER_WAITING": "50",
        "CREDIT_SCORING_DECISION_LOG_DIR": str(folder / "decisions"),
    }
    server = LocalServer(faulty, folder / "log")
    with server.running(environment=environment) as url:
        yield Breakable(url, fault, folder / "decisions", routing, runners)


@pytest.mark.parametrize("how", ["raises", "hangs", "crashes"])
def test_no_request_fails_when_the_challenger_breaks(
    breakable: Breakable,
    applications: list[Row],
    how: str,
    fault: Callable[..., None],
) -> None:
    if how == "crashes" and breakable.runners == "in_process":
        pytest.skip("what takes its process with it belongs into one of its own")
    before = breakable.left_out()
    with traffic(breakable.port, applications, clients=4) as tally:
        wait_for_more(tally, 50)
        with breakable.broken(how):
            while breakable.left_out() < before + 20:
                wait_for_more(tally, 20)
            wait_for_more(tally, 200)
            assert httpx.get(f"{breakable.url}/readyz").status_code == 200
        if how != "crashes":
            until_used_again(breakable, tally)
    assert tally.failures == []
    lost = tally.lost(breakable.decisions)
    assert lost == 0
    where = "in the worker" if breakable.runners == "in_process" else "apart"
    fault(
        f"challenger {how} ({breakable.routing}, {where})",
        sent=tally.sent,
        failed=len(tally.failures),
        lost=lost,
        seen=(
            f"left out {breakable.left_out() - before:.0f} times, slowest answer "
            f"{1000 * tally.slowest_seconds:.0f} ms"
        ),
    )


def wait_for_more(tally: Tally, count: int) -> None:
    """Wait for so many more answers."""
    deadline = time.monotonic() + 60
    goal = tally.sent + count
    while tally.sent < goal:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def until_used_again(breakable: Breakable, tally: Tally) -> None:
    """Wait until applications are not left out any more."""
    deadline = time.monotonic() + 60
    while True:
        before = breakable.left_out()
        wait_for_more(tally, 40)
        if breakable.left_out() == before:
            return
        assert time.monotonic() < deadline


def test_a_worker_is_replaced_while_its_challenger_hangs(
    breakable: Breakable, applications: list[Row]
) -> None:
    """A thread that never ends must not keep its worker from ending."""
    if breakable.runners == "apart":
        pytest.skip("the thread is in another process")
    (worker,) = workers(breakable.url)
    with breakable.broken("hangs"):
        for row in applications[:5]:
            httpx.post(f"{breakable.url}/predict", json=row).raise_for_status()
        os.kill(worker, signal.SIGTERM)
        psutil.wait_procs([psutil.Process(worker)], timeout=30)
        assert not psutil.pid_exists(worker)
    deadline = time.monotonic() + 60
    while not ready(breakable.url):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    answer = httpx.post(f"{breakable.url}/predict", json=applications[0])
    assert answer.status_code == 200


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False
