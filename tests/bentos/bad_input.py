"""Bad input in quantity, at a real worker: what it answers, and that it stays well.

Run it after `kedro run`, from the project:

    make bad-input                 # 100,000 faulty requests
    make bad-input COUNT=5000

Prints a table by kind, and ends with exit code 1 if anything is not as it must be.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psutil

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.request import request_json_schema
from credit_scoring.serve import RELEASE, choose_bento
from credit_scoring.serving.local_server import LocalServer

from . import faulty_bodies, faulty_http, faulty_tables  # noqa: F401 - list kinds
from .faulty_requests import CLOSED, KINDS, MARKERS, Faulty, Kind
from .raw_http import Answer, ClosedError, Wire

# A slow body is given up soon, so that many of them can be sent.
ENVIRONMENT = {
    "CREDIT_SCORING_BODY_TIMEOUT_MS": "300",
    # H
}
THREADS = 6
WARM_UP_SHARE = 0.2
# The rarest and largest batches come late: what they took, the allocator keeps.
MOST_GROWTH = 0.05
MOST_SERIES_GROWTH = 1.1
_WEIGHTS = [kind.weight for kind in KINDS]
_KEPT_SECONDS = 1.0
_MOST_COMPLAINTS = 30
# Eight columns that are missing, each with one that comes near.
_LONGEST_MESSAGE = 1_200
_LONGEST_PROBLEM = 20_000

Row = dict[str, Any]


@dataclass
class Report:
    """What came of the requests.

    Attributes:
        statuses: Kind -> status -> how many answers.
        sent: Kind -> how many requests.
        complaints: What was not as it must be; the first ones.
        wrong: How many complaints there were in all.
        memory_mb: The worker's resident memory at the start, after the warm-up,
            and at the end.
        series: Lines of the metrics, at the same times.
    """

    statuses: dict[str, Counter[int]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    sent: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    wrong: int = 0
    memory_mb: list[float] = field(default_factory=list)
    series: list[int] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, statuses: Sequence[int], complaints: list[str]) -> None:
        """Add what came of one request."""
        with self._lock:
            self.sent[kind] += 1
            self.statuses[kind].update(statuses)
            self.complain(*complaints)

    def complain(self, *complaints: str) -> None:
        """Note what is not as it must be."""
        self.wrong += len(complaints)
        self.complaints += complaints[: _MOST_COMPLAINTS - len(self.complaints)]

    @property
    def growth(self) -> float:
        """Memory that the worker took after the warm-up, over what it had then."""
        return self.memory_mb[2] / self.memory_mb[1] - 1

    def server_errors(self) -> int:
        """Count the answers that blame the service."""
        return sum(
            number
            for statuses in self.statuses.values()
            for status, number in statuses.items()
            if status >= 500
        )


def draw(seed: int, number: int, rows: Sequence[Row]) -> tuple[Kind, Faulty]:
    """Make the request of a number, always the same one."""
    random = Random(f"{seed}-{number}")  # noqa: S311 - nothing is secret
    if number < len(KINDS):  # each kind once, however rare
        kind = KINDS[number]
    else:
        (kind,) = random.choices(KINDS, _WEIGHTS)
    return kind, kind.make(random, random.choice(rows))


class Client:
    """Sends faulty requests one after another, and judges the answers."""

    def __init__(self, port: int) -> None:
        """Send to a port; one connection is kept for what is sound as HTTP."""
        self._port = port
        self._kept: Wire | None = None
        self._used_at = 0.0

    def send(self, faulty: Faulty) -> tuple[list[int], list[str]]:
        """Send one request; gives the statuses, and what is wrong with them."""
        if faulty.own_connection or faulty.then != "read":
            wire = Wire(self._port)
            try:
                return self._exchange(wire, faulty)
            finally:
                wire.close()
        wire = self._connection()
        statuses, complaints = self._exchange(wire, faulty)
        if complaints or CLOSED in statuses:
            wire.close()
        else:
            self._kept, self._used_at = wire, time.monotonic()
        return statuses, complaints

    def _connection(self) -> Wire:
        """Take the kept connection, or a new one before the server ends it."""
        kept, self._kept = self._kept, None
        if kept is not None and time.monotonic() - self._used_at < _KEPT_SECONDS:
            return kept
        if kept is not None:
            kept.close()
        return Wire(self._port)

    def close(self) -> None:
        """Leave."""
        if self._kept is not None:
            self._kept.close()

    @staticmethod
    def _exchange(wire: Wire, faulty: Faulty) -> tuple[list[int], list[str]]:
        wire.send(faulty.pieces, pause=faulty.pause)
        if faulty.then == "reset":
            wire.reset()
        if faulty.then in ("reset", "close"):
            return [CLOSED], []
        if faulty.then == "half_close":
            wire.half_close()
        statuses: list[int] = []
        complaints: list[str] = []
        for _ in range(faulty.answers):
            try:
                answer = wire.answer(to_head=faulty.to_head)
            except ClosedError:
                statuses.append(CLOSED)
                break
            except TimeoutError:
                complaints.append("no answer, and the connection was left open")
                break
            statuses.append(answer.status)
            complaints += judge(answer, faulty)
        wrong = sorted(set(statuses) - faulty.allowed)
        complaints += [f"answered {status}" for status in wrong]
        return statuses, complaints


def judge(answer: Answer, faulty: Faulty) -> Iterator[str]:
    """Say what is wrong with an answer, whatever its status."""
    for marker in MARKERS:
        if marker in answer.head or marker in answer.body:
            yield f"{answer.status} repeats a value of the request"
    if answer.header("content-type") != "application/problem+json":
        return
    if faulty.to_head:
        return
    problem = json.loads(answer.body)
    if problem["status"] != answer.status or not problem["detail"]:
        yield f"{answer.status} is not the problem that its body describes"
    if len(answer.body) > _LONGEST_PROBLEM:
        yield f"{answer.status} with a problem of {len(answer.body)} bytes"
    errors = problem["errors"]
    if answer.status == 400 and not errors:
        yield "400 without a field that is to blame"
    if any(not 5 < len(error["message"]) < _LONGEST_MESSAGE for error in errors):
        yield f"{answer.status} with a message of odd length"
    fields = {error["field"] for error in errors}
    if faulty.names is not None and faulty.names not in fields:
        yield f"{answer.status} does not name the field {faulty.names}"


def send_all(
    port: int, rows: Sequence[Row], numbers: range, *, seed: int, report: Report
) -> None:
    """Send the requests of a range of numbers from several threads."""

    def work(part: range) -> None:
        client = Client(port)
        for number in part:
            kind, faulty = draw(seed, number, rows)
            try:
                statuses, complaints = client.send(faulty)
            except Exception as error:  # noqa: BLE001 - reported with its number
                statuses, complaints = [], [f"{type(error).__name__}: {error}"]
            named = [f"number {number}, {kind.name}: {text}" for text in complaints]
            report.add(kind.name, statuses, named)
        client.close()

    parts = [numbers[start::THREADS] for start in range(THREADS)]
    threads = [threading.Thread(target=work, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bombard(
    port: int, rows: Sequence[Row], *, count: int, seed: int, log: Path
) -> Report:
    """Send faulty requests to the one worker that serves a port.

    Args:
        port: Of the server, which is a child of this process.
        rows: Valid applications.
        count: How many requests.
        seed: Draws them.
        log: The server's output.
    """
    report = Report()
    worker = only_worker(port)
    usual = ask(port, rows[0])
    warm = int(count * WARM_UP_SHARE)
    for numbers in (range(0), range(warm), range(warm, count)):
        send_all(port, rows, numbers, seed=seed, report=report)
        report.memory_mb.append(worker.memory_info().rss / 1e6)
        report.series.append(metrics_of(port).count(b"\n"))
    if sum(report.sent.values()) != count:
        report.complain(f"{sum(report.sent.values())} of {count} requests were sent")
    if not worker.is_running() or only_worker(port) != worker:
        report.complain("the worker is not the one that it was")
    if ask(port, rows[0]) != usual:
        report.complain("a valid application is answered otherwise than before")
    if report.series[2] > report.series[1] * MOST_SERIES_GROWTH:
        report.complain("the number of metrics grows with what is asked for")
    metrics, written = metrics_of(port), log.read_bytes()
    for marker in MARKERS:
        if marker in metrics or marker in written:
            report.complain("a value of a request is in the log or in the metrics")
    for word in (b"Traceback", b"incident"):
        if word in written:
            report.complain(f"the log has {written.count(word)} times {word.decode()}")
    return report


def metrics_of(port: int) -> bytes:
    """Read what the server counts."""
    wire = Wire(port)
    wire.send([b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n"])
    metrics = wire.answer().body
    wire.close()
    return metrics


def only_worker(port: int) -> psutil.Process:
    """Find the one worker process that serves a port."""
    (worker,) = [
        process
        for process in psutil.Process().children(recursive=True)
        if "_bentoml_impl.worker.service" in " ".join(process.cmdline())
        and f"--port {port}" in " ".join(process.parent().cmdline())
    ]
    return worker


def ask(port: int, row: Row) -> Row:
    """Have an application decided; gives what does not change with time."""
    body = json.dumps(row).encode()
    wire = Wire(port)
    wire.send(
        [
            b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: application/json"
            b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        ]
    )
    answer = wire.answer()
    wire.close()
    decided: Row = json.loads(answer.body)
    return {key: decided.get(key) for key in ("loan_id", "pd", "score", "decision")}


def table(report: Report, *, seconds: float) -> str:
    """Write what came of it, by kind."""
    lines = [f"{'kind':42} {'sent':>7} {'5xx':>4}  answers by status (0: closed)"]
    for kind in KINDS:
        statuses = report.statuses[kind.name]
        bad = sum(n for status, n in statuses.items() if status >= 500)
        by_status = "  ".join(f"{s}: {n}" for s, n in sorted(statuses.items()))
        sent = report.sent[kind.name]
        lines.append(f"{kind.name:42} {sent:7} {bad:4}  {by_status}")
    start, warm, end = report.memory_mb
    total = sum(report.sent.values())
    lines += [
        f"{'all':42} {total:7} {report.server_errors():4}",
        f"{total} requests in {seconds:.0f} s, {report.wrong} complaints",
        f"memory of the worker: {start:.1f} MB at the start, {warm:.1f} MB after "
        f"{WARM_UP_SHARE:.0%}, {end:.1f} MB at the end: {report.growth:+.1%}",
        "lines of /metrics at the same times: {}, {}, {}".format(*report.series),
    ]
    return "\n".join([*lines, *report.complaints])


def main() -> int:
    """Bombard the Bento that was released here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    contract = contract_from_yaml(Path("conf/base/parameters_contract.yml"))
    (example,) = request_json_schema(contract)["examples"]
    rows = [{**example, "loan_id": f"bad-input-{number}"} for number in range(100)]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = LocalServer(choose_bento(RELEASE), folder / "server.log")
        environment = {
            **ENVIRONMENT,
            "CREDIT_SCORING_DECISION_LOG_DIR": str(folder / "decisions"),
        }
        url = stack.enter_context(server.running(environment=environment))
        started = time.monotonic()
        report = bombard(
            int(url.rpartition(":")[2]),
            rows,
            count=options.count,
            seed=options.seed,
            log=server.log,
        )
        seconds = time.monotonic() - started
    print(table(report, seconds=seconds))  # noqa: T201 - what it was run for
    return 1 if report.wrong or report.growth > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
