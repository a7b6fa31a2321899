"""Each fault of the store of histories under load, as the clients notice it."""

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from credit_scoring.contract.model import Contract, Role
from credit_scoring.decision_log.reader import read_decisions
from credit_scoring.serving.local_server import HOST, LocalServer, free_port

from .traffic import Tally, traffic

pytestmark = [pytest.mark.end_to_end, pytest.mark.faults]

Row = dict[str, Any]
BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "feature_store_faults.py"
FAULTS = (
    "down",
    "frozen",
    "restarted empty",
    "full",
    "corrupt values",
    "truncated values",
    "values of another version",
    "another password",
)


def benchmark() -> ModuleType:
    """The faults are those that the benchmark measures."""
    spec = importlib.util.spec_from_file_location("feature_store_faults", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Served:
    """A service, its store, and how that is broken and repaired."""

    url: str
    faults: dict[str, tuple[Callable[[], None], Callable[[], None]]]
    decisions: Path

    def is_used(self, rows: list[Row], bare: Row) -> bool:
        """Send histories, and see whether one is used."""
        httpx.post(f"{self.url}/predict/batch", json=rows).raise_for_status()
        answer = httpx.post(f"{self.url}/predict", json=bare)
        return bool(answer.json()["feature_source"] == "store")

    def wait_until_used(self, rows: list[Row], bare: Row) -> float:
        started = time.monotonic()
        while not self.is_used(rows, bare):
            assert time.monotonic() - started < 30
        return time.monotonic() - started


@pytest.fixture(scope="module")
def served(bento: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("store faults")
    measured = benchmark()
    store = measured.Store(free_port(), str(folder))
    store.start()
    environment = {
        "CREDIT_SCORING_REDIS_URL": f"redis://{HOST}:{store.port}",
        "CREDIT_SCORING_REDIS_TIMEOUT_MS": "50",
        "CREDIT_SCORING_DECISION_LOG_DIR": str(folder / "decisions"),
    }
    try:
        server = LocalServer(bento, folder / "log")
        with server.running(environment=environment) as url:
            faults = {name: (how, mend) for name, how, mend in measured.faults(store)}
            yield Served(url, faults, folder / "decisions")
    finally:
        store.stop()


@pytest.mark.parametrize("name", FAULTS)
def test_no_request_fails_whatever_becomes_of_the_store(
    served: Served,
    applications: list[Row],
    contract: Contract,
    name: str,
    fault: Callable[..., None],
) -> None:
    history = contract.names(Role.HISTORY)
    bare = [{k: v for k, v in row.items() if k not in history} for row in applications]
    breaks, mends = served.faults[name]
    served.wait_until_used(applications, bare[0])
    with traffic(int(served.url.rsplit(":", 1)[1]), bare, clients=3) as tally:
        wait_for_more(tally, 50)
        before = len(tally.decision_ids)
        breaks()
        wait_for_more(tally, 150)
        mends()
        back = served.wait_until_used(applications, bare[0])
        wait_for_more(tally, 50)
    assert tally.failures == []
    lost = tally.lost(served.decisions)
    assert lost == 0
    meanwhile = set(tally.decision_ids[before:])
    referred = sum(
        one.entry.decision_id in meanwhile and one.entry.feature_source == "degraded"
        for one in read_decisions(served.decisions)
    )
    if name in {"down", "frozen"}:
        assert referred > 0
    fault(
        f"store of histories: {name}",
        sent=tally.sent,
        failed=len(tally.failures),
        lost=lost,
        seen=(
            f"{referred} referred to a person, slowest answer "
            f"{1000 * tally.slowest_seconds:.0f} ms, back {back:.1f} s after repair"
        ),
    )


def wait_for_more(tally: Tally, count: int) -> None:
    """Wait for so many more answers."""
    deadline = time.monotonic() + 60
    goal = tally.sent + count
    while tally.sent < goal:
        assert time.monotonic() < deadline
        time.sleep(0.02)
