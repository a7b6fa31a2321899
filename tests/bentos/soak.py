"""Steady mixed traffic for a long time: memory, latency and failures by the minute.

Run it after `kedro run`, from the project:

    make soak                        # half an hour at 70 % of the capacity
    make soak MINUTES=5 SHARE=0.5

The capacity, of the server and this client on this machine, is measured first. Ends
with exit code 1 if a request failed or the memory grew by more than 5 % after the
warm-up.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.request import request_json_schema
from credit_scoring.serve import RELEASE, choose_bento
from credit_scoring.serving.local_server import LocalServer

from .bad_input import only_worker
from .paced_client import PacedClient, Part, Traffic

CONNECTIONS = 16
MOST_GROWTH = 0.05
ENVIRONMENT = {
    # Old segments are taken away, so that a long soak fills no disk.
    "CREDIT_SCORING_DECISION_LOG_SEGMENT_BYTES": str(64 * 1024**2),
    # Full in the warm-up: answers that are kept for retries are no leak. By default
    # up to 20 MB of them are kept, which one soak would see growing to its end.
    "CREDIT_SCORING_IDEMPOTENCY_ANSWERS": "1000",
}
_CAPACITY_SECONDS = 10.0
_SEGMENTS_KEPT = 3
_COUNT_OF_WARM_UP_PARTS = 6


@dataclass(frozen=True)
class Line:
    """One minute of the soak, or another span.

    Attributes:
        part: What the client saw.
        memory_mb: Resident memory of the worker, the median of many looks.
    """

    part: Part
    memory_mb: float


@dataclass(frozen=True)
class Soaked:
    """What came of a soak.

    Attributes:
        capacity: Requests a second without a pause.
        warm_up: How many of the lines are the warm-up.
        lines: One for each span.
        same_worker: Whether the worker is the one that it was.
    """

    capacity: float
    warm_up: int
    lines: list[Line]
    same_worker: bool

    @property
    def failed(self) -> int:
        """Requests that were not answered as they should be."""
        return sum(line.part.failed for line in self.lines)

    @property
    def growth(self) -> float:
        """Highest memory after the warm-up, over that at its end, less 1."""
        base = self.lines[self.warm_up - 1].memory_mb
        return max(line.memory_mb for line in self.lines[self.warm_up :]) / base - 1

    @property
    def holds(self) -> bool:
        """Whether all is as it must be."""
        return not self.failed and self.growth <= MOST_GROWTH and self.same_worker

    def table(self) -> str:
        """Write it down."""
        text = [
            f"capacity {self.capacity:.0f} requests/s",
            f"{'part':>4} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} "
            f"{'worst ms':>9} {'failed':>6} {'RSS MB':>8}",
        ]
        for number, line in enumerate(self.lines, start=1):
            part = line.part
            note = " warm-up" if number <= self.warm_up else ""
            text.append(
                f"{number:4} {part.rate:10.0f} {part.quantile_ms(0.5):8.2f} "
                f"{part.quantile_ms(0.99):8.2f} {part.quantile_ms(1):9.1f} "
                f"{part.failed:6} {line.memory_mb:8.1f}{note}"
            )
        text.append(f"memory after the warm-up: {self.growth:+.2%}")
        return "\n".join(text)


def soak(  # noqa: PLR0913 - what a soak is made of
    port: int,
    traffic: Traffic,
    *,
    share: float,
    parts: int,
    part_seconds: float,
    capacity_seconds: float = _CAPACITY_SECONDS,
    between: Callable[[Line], None] = lambda line: None,
) -> Soaked:
    """Send traffic at a share of the capacity, which is measured first.

    Args:
        port: Of a server with one worker, a child of this process.
        traffic: What is sent.
        share: Of the capacity, in (0, 1).
        parts: So many lines.
        part_seconds: Each of so many seconds.
        capacity_seconds: Given to measuring the capacity.
        between: Told of each line.
    """
    worker = only_worker(port)
    with PacedClient(port, traffic, CONNECTIONS) as client:
        client.drive(min(2.0, capacity_seconds), rate=None)
        capacity = client.drive(capacity_seconds, rate=None).rate
        lines = []
        for _ in range(parts):
            looks: list[float] = []

            def look(looks: list[float] = looks) -> None:
                looks.append(worker.memory_info().rss / 1e6)

            part = client.drive(part_seconds, rate=share * capacity, every=look)
            line = Line(part, sorted(looks)[len(looks) // 2])
            lines.append(line)
            between(line)
    return Soaked(
        capacity=capacity,
        warm_up=max(1, parts // _COUNT_OF_WARM_UP_PARTS),
        lines=lines,
        same_worker=is_same(worker, port),
    )


def is_same(worker: psutil.Process, port: int) -> bool:
    """Tell whether a worker is still the one that serves a port."""
    return bool(worker.is_running()) and only_worker(port) == worker


def take_old_segments_away(folder: Path) -> None:
    """Remove all but the newest segments of a decision log, as an archive would."""
    # Their names begin with their time; the index has another.
    segments = sorted(folder.glob("[0-9]*.jsonl"))
    for segment in segments[:-_SEGMENTS_KEPT]:
        segment.unlink()


def main() -> int:
    """Soak the Bento that was released here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--share", type=float, default=0.7)
    options = parser.parse_args()
    contract = contract_from_yaml(Path("conf/base/parameters_contract.yml"))
    (example,) = request_json_schema(contract)["examples"]
    rows = [{**example, "loan_id": f"soak-{number}"} for number in range(500)]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        decisions = folder / "decisions"

        def between(line: Line) -> None:
            take_old_segments_away(decisions)
            part = line.part
            summary = {
                "rps": round(part.rate), "p99_ms": round(part.quantile_ms(0.99), 2),
                "failed": part.failed, "rss_mb": round(line.memory_mb, 1),
            }  # fmt: skip
            print(json.dumps(summary), flush=True)  # noqa: T201 - progress

        server = LocalServer(choose_bento(RELEASE), folder / "server.log")
        environment = {
            **ENVIRONMENT,
            "CREDIT_SCORING_DECISION_LOG_DIR": str(decisions),
        }
        url = stack.enter_context(server.running(environment=environment))
        soaked = soak(
            int(url.rpartition(":")[2]),
            Traffic(rows),
            share=options.share,
            parts=options.minutes,
            part_seconds=60.0,
            between=between,
        )
    print(soaked.table())  # noqa: T201 - what it was run for
    return 0 if soaked.holds else 1


if __name__ == "__main__":
    sys.exit(main())
