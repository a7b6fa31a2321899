"""A short form of `make soak`: it shows that nothing fails, and runs the judgement."""

from pathlib import Path
from typing import Any

import pytest

from credit_scoring.serving.local_server import LocalServer

from .paced_client import Part, Traffic
from .soak import ENVIRONMENT, Line, Soaked, soak

pytestmark = pytest.mark.end_to_end


def test_mixed_traffic_fails_never_and_leaves_nothing_in_memory(
    bento: str, applications: list[dict[str, Any]], tmp_path: Path
) -> None:
    server = LocalServer(bento, tmp_path / "server.log")
    environment = {
        **ENVIRONMENT,
        "CREDIT_SCORING_DECISION_LOG_DIR": str(tmp_path / "decisions"),
        # Full in the warm-up: what is kept for retries is no leak.
        "CREDIT_SCORING_IDEMPOTENCY_ANSWERS": "100",
    }
    with server.running(environment=environment) as url:
        soaked = soak(
            int(url.rpartition(":")[2]),
            Traffic(applications),
            share=0.5,
            parts=6,
            part_seconds=2.0,
            capacity_seconds=2.0,
        )
    print(soaked.table())  # noqa: T201 - shown if it fails
    assert soaked.failed == 0
    assert soaked.same_worker
    assert soaked.growth <= 0.05
    assert all(len(line.part.latencies) > 100 for line in soaked.lines)


def soaked_with(memory_mb: list[float], failed: int = 0, same: bool = True) -> Soaked:
    lines = [Line(Part(60.0, [0.001], failed), mb) for mb in memory_mb]
    return Soaked(capacity=1.0, warm_up=1, lines=lines, same_worker=same)


def test_growth_failures_and_restarts_are_not_passed_over() -> None:
    assert soaked_with([90.0, 100.0, 94.4]).growth == pytest.approx(100 / 90 - 1)
    assert soaked_with([100.0, 104.9, 99.0]).holds
    assert not soaked_with([100.0, 105.1, 99.0]).holds
    assert not soaked_with([100.0, 100.0], failed=1).holds
    assert not soaked_with([100.0, 100.0], same=False).holds
    assert "+4.90%" in soaked_with([100.0, 104.9]).table()
