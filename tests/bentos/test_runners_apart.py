"""Champion and challenger in services of their own, whole and broken."""

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

from credit_scoring.serving.local_server import LocalServer

from .traffic import Tally, traffic

pytestmark = [pytest.mark.end_to_end, pytest.mark.faults]

Row = dict[str, Any]
DECIDED = ("pd", "score", "band", "decision", "reasons", "model", "policy_version")
SPLIT = {
    "CREDIT_SCORING_ROUTING": "split",
    "CREDIT_SCORING_CHALLENGER_SHARE": "0.5",
}


@dataclass
class Apart:
    """A service whose models are in services of their own."""

    url: str
    log: Path
    decisions: Path

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def runner(self, role: str) -> psutil.Process:
        """The process of a runner; waited for, as it may be starting again."""
        deadline = time.monotonic() + 60
        while True:
            found = [
                process
                for process in psutil.Process().children(recursive=True)
                if f"--service-name credit_scoring_{role} " in command(process)
                and str(self.port) in command(process.parent())
            ]
            if found:
                return found[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def metric(self, line: str) -> float:
        text = httpx.get(f"{self.url}/metrics").text
        values = dict(one.rsplit(" ", 1) for one in text.splitlines() if one[0] != "#")
        return float(values[f"credit_scoring_{line}"])

    def wait_until(self, role: str, *, away: bool) -> None:
        deadline = time.monotonic() + 60
        while self.metric(f'runner_away{{role="{role}"}}') != away:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def computed_here(self) -> float:
        name = "champion_computed_here_total"
        return sum(
            self.metric(f'{name}{{kind="{kind}"}}')
            for kind in ("slow", "unavailable", "failed", "lagging")
        )


def command(process: psutil.Process | None) -> str:
    try:
        return "" if process is None else " ".join(process.cmdline()) + " "
    except psutil.Error:
        return ""


def decided(url: str, rows: list[Row]) -> list[Any]:
    """Each application's decision, alone and in a batch."""
    with httpx.Client(base_url=url) as client:
        single = [client.post("/predict?reasons=true", json=row) for row in rows]
        batch = client.post("/predict/batch?reasons=true", json=rows)
    answers = [*(one.json() for one in single), *batch.json()]
    return [[answer[name] for name in DECIDED] for answer in answers]


@pytest.fixture(scope="module")
def together(
    bento: str, applications: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> list[Any]:
    """What the same server decides with the models in the worker."""
    folder = tmp_path_factory.mktemp("runners together")
    environment = SPLIT | {"CREDIT_SCORING_DECISION_LOG_DIR": str(folder / "log")}
    with LocalServer(bento, folder / "out").running(environment=environment) as url:
        return decided(url, applications)


@pytest.fixture(scope="module")
def apart(
    bento: str, together: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Apart]:
    """Built as ever, and served with the one setting."""
    folder = tmp_path_factory.mktemp("runners apart")
    environment = SPLIT | {
        "CREDIT_SCORING_RUNNERS": "apart",
        "CREDIT_SCORING_DECISION_LOG_DIR": str(folder / "decisions"),
    }
    server = LocalServer(bento, folder / "server.log")
    with server.running(environment=environment) as url:
        yield Apart(url, server.log, folder / "decisions")


def test_the_decisions_are_those_of_the_worker_to_the_bit(
    apart: Apart, together: list[Any], applications: list[Row]
) -> None:
    for role in ("champion", "challenger"):
        apart.wait_until(role, away=False)
    before = apart.computed_here()
    assert decided(apart.url, applications) == together
    assert apart.computed_here() == before
    rows = 'runner_call_rows_sum{role="%s"}'
    counted = [apart.metric(rows % role) for role in ("champion", "challenger")]
    assert sum(counted) >= 2 * len(applications)
    assert min(counted) > len(applications) / 2


def test_each_is_a_process_of_its_own(apart: Apart) -> None:
    one, other = apart.runner("champion"), apart.runner("challenger")
    assert one.pid != other.pid
    assert one.parent() == other.parent()


def test_no_pickle_is_taken_by_a_runner(apart: Apart) -> None:
    """BentoML's own calls between services are pickles; nothing answers them."""
    connections = apart.runner("champion").net_connections(kind="unix")
    paths = {str(one.laddr) for one in connections if ".sock" in str(one.laddr)}
    assert paths
    for path in paths:
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=path), base_url="http://runner"
        ) as client:
            assert client.get("/livez").status_code == 200
            headers = {"content-type": "application/vnd.bentoml+pickle"}
            for route in ("/", "/decide", "/predict", "/__is_ready__"):
                answer = client.post(route, content=b"\x80\x04N.", headers=headers)
                assert answer.status_code in {404, 405}


def killed(apart: Apart) -> None:
    for role in ("champion", "challenger"):
        apart.runner(role).kill()


def restarted(apart: Apart) -> None:
    for role in ("champion", "challenger"):
        apart.runner(role).terminate()


@contextlib.contextmanager
def broken_once(apart: Apart, how: Callable[[Apart], None]) -> Iterator[None]:
    """Something that happens once; BentoML's supervisor mends it."""
    how(apart)
    yield


@contextlib.contextmanager
def frozen(apart: Apart) -> Iterator[None]:
    pids = [apart.runner(role).pid for role in ("champion", "challenger")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def slow(apart: Apart) -> Iterator[None]:
    """They run for a hundredth of the time, which makes them slower than allowed."""
    pids = [apart.runner(role).pid for role in ("champion", "challenger")]
    command = (
        "import os, signal, sys, time\n"
        "pids = [int(one) for one in sys.argv[1:]]\n"
        "while True:\n"
        "    for pid in pids: os.kill(pid, signal.SIGSTOP)\n"
        "    time.sleep(0.5)\n"
        "    for pid in pids: os.kill(pid, signal.SIGCONT)\n"
        "    time.sleep(0.005)\n"
    )
    brake = subprocess.Popen([sys.executable, "-c", command, *map(str, pids)])
    try:
        yield
    finally:
        brake.kill()
        brake.wait()
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


FAULTS: dict[str, Callable[[Apart], Any]] = {
    "killed": lambda apart: broken_once(apart, killed),
    "restarted": lambda apart: broken_once(apart, restarted),
    "frozen": frozen,
    "slow": slow,
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_request_fails_whatever_becomes_of_the_runners(
    apart: Apart,
    applications: list[Row],
    name: str,
    fault: Callable[..., None],
) -> None:
    for role in ("champion", "challenger"):
        apart.wait_until(role, away=False)
    computed_here = apart.computed_here()
    with traffic(apart.port, applications, clients=4) as tally:
        wait_for_more(tally, 100)
        assert tally.roles == {"champion", "challenger"}
        with FAULTS[name](apart):
            for role in ("champion", "challenger"):
                apart.wait_until(role, away=True)
            wait_for_more(tally, 100)
            assert httpx.get(f"{apart.url}/readyz").status_code == 200
            tally.roles.clear()
            wait_for_more(tally, 100)
            during = set(tally.roles)
        for role in ("champion", "challenger"):
            apart.wait_until(role, away=False)
        tally.roles.clear()
        wait_for_more(tally, 100)
    assert tally.failures == []
    assert tally.roles == {"champion", "challenger"}
    if name in {"killed", "frozen"}:
        assert during == {"champion"}
    computed_here = apart.computed_here() - computed_here
    assert computed_here > 0
    said = apart.log.read_text(encoding="utf-8")
    assert "the service of the champion is away: " in said
    assert said.count("the service of the champion decides from now on") >= 2
    assert "T-" not in said
    lost = tally.lost(apart.decisions)
    assert lost == 0
    fault(
        f"runners' services {name}",
        sent=tally.sent,
        failed=len(tally.failures),
        lost=lost,
        seen=(
            f"champion computed in the worker {computed_here:.0f} times, slowest "
            f"answer {1000 * tally.slowest_seconds:.0f} ms, back by themselves"
        ),
    )


def wait_for_more(tally: Tally, count: int) -> None:
    """Wait for so many more answers."""
    deadline = time.monotonic() + 60
    goal = tally.answered + count
    while tally.answered < goal:
        assert time.monotonic() < deadline
        time.sleep(0.02)
