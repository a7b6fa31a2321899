"""What one large batch takes, and what single applications notice of it.

``make bench-large-batch`` (MEGABYTES, ROUNDS), or this program after ``kedro run``.
One worker serves the champion. In turns single applications come alone and beside a
batch in Parquet of the given size, each sent some milliseconds after the answer before.
Printed are their latencies and the ratio of each pair of rounds (the bar is twice the
p99), the rows per second of the batch, and the memory of the server before it and at
most.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from credit_scoring.serving.local_server import HOST, LocalServer

PROJECT = Path(__file__).parents[2]
ROWS = PROJECT / "data/02_intermediate/validated_applications.parquet"
WANTED = ("loan_id", "credit_limit", "repayment", "bill", "payment")
RELEASE = PROJECT / "bentos/releases/current.json"
PARQUET = "application/vnd.apache.parquet"
LIMITS = {
    "CREDIT_SCORING_MAX_BATCH_BODY_BYTES": str(1 << 30),
    "CREDIT_SCORING_MAX_BATCH_ROWS": str(100_000_000),
    "CREDIT_SCORING_BODY_TIMEOUT_MS": "60000",
}
PAUSE_SECONDS = 0.005
WARM_UP = 200


def applications() -> pa.Table:
    """Applications with their histories, as requests have them."""
    table = pq.read_table(ROWS)
    return table.select([n for n in table.column_names if n.startswith(WANTED)])


def write_batch(path: Path, megabytes: float) -> int:
    """Write a batch of about a size; gives its rows."""
    table, rows = applications(), 0
    place = table.column_names.index("loan_id")
    with pq.ParquetWriter(path, table.schema) as writer:
        while path.stat().st_size < megabytes * 1e6:
            ids = pa.array(
                [f"B-{rows + n}" for n in range(len(table))], pa.large_string()
            )
            writer.write_table(table.set_column(place, "loan_id", ids))
            rows += len(table)
    return rows


def ask_singly(port: int, bodies: list[bytes], going: threading.Event) -> list[float]:
    """Ask as long as it is wanted; gives the seconds of each answer."""
    headers = {"content-type": "application/json"}
    taken = []
    with closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        while going.is_set():
            body = bodies[len(taken) % len(bodies)]
            started = time.perf_counter()
            connection.request("POST", "/predict", body, headers)
            reply = connection.getresponse()
            reply.read()
            taken.append(time.perf_counter() - started)
            assert reply.status == 200
            time.sleep(PAUSE_SECONDS)
    return taken


def send_batch(port: int, path: Path) -> None:
    """Send a batch, and print what came back; run in a process of its own."""
    connection = http.client.HTTPConnection(HOST, port, timeout=3600)
    started = time.perf_counter()
    with path.open("rb") as body:
        size = {"content-length": str(path.stat().st_size), "content-type": PARQUET}
        connection.request("POST", "/predict/batch", body, size)
    reply = connection.getresponse()
    first = time.perf_counter() - started
    with tempfile.TemporaryFile() as answer:
        while piece := reply.read(1 << 20):
            answer.write(piece)
        seconds = time.perf_counter() - started
        assert reply.status == 200, answer.seek(0) or answer.read()
        found = pq.ParquetFile(answer)
        errors = found.read(["error"])["error"]
    told = {
        "rows": found.metadata.num_rows,
        "errors": len(errors) - errors.null_count,
        "first_seconds": first,
        "seconds": seconds,
    }
    sys.stdout.write(json.dumps(told))


@contextmanager
def watched(process: psutil.Process) -> Iterator[list[int]]:
    """Note the memory of the largest child of a process, in bytes, now and then."""
    seen: list[int] = []
    over = threading.Event()
    # Looked for once: it takes long enough to be noticed by who measures beside it.
    processes = process.children(recursive=True)

    def watch() -> None:
        while not over.is_set():
            seen.append(
                max(one.memory_info().rss for one in processes if one.is_running())
            )
            over.wait(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    yield seen
    over.set()
    thread.join()


def beside_a_batch(
    port: int, bodies: list[bytes], batch: Path
) -> tuple[list[float], dict[str, Any]]:
    """Ask singly for as long as a batch takes."""
    going = threading.Event()
    going.set()
    command = [sys.executable, __file__, "--send", str(port), str(batch)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
        waiting = threading.Thread(target=lambda: (sender.wait(), going.clear()))
        waiting.start()
        taken = ask_singly(port, bodies, going)
        waiting.join()
        assert sender.stdout is not None
        return taken, json.loads(sender.stdout.read())


def alone(port: int, bodies: list[bytes], seconds: float) -> list[float]:
    """Ask singly for a while, with nothing beside."""
    going = threading.Event()
    going.set()
    threading.Timer(seconds, going.clear).start()
    return ask_singly(port, bodies, going)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def milliseconds(taken: list[float]) -> tuple[float, float]:
    """Give the median and the p99."""
    return tuple(1000 * np.quantile(taken, [0.5, 0.99]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--send", nargs=2)
    options = parser.parse_args()
    if options.send:
        send_batch(int(options.send[0]), Path(options.send[1]))
        return
    bento = json.loads(RELEASE.read_bytes())["bento"]
    given = applications().slice(0, 2000).to_pylist()
    bodies = [json.dumps(row).encode() for row in given]
    with tempfile.TemporaryDirectory() as place:
        batch = Path(place, "batch.parquet")
        rows = write_batch(batch, options.megabytes)
        say(f"{rows:,} rows, {batch.stat().st_size / 1e6:.0f} MB of Parquet")
        environment = {**LIMITS, "CREDIT_SCORING_DECISION_LOG_DIR": f"{place}/log"}
        server = LocalServer(bento, Path(place, "output"))
        with server.running(environment=environment) as url:
            port = int(url.rpartition(":")[2])
            alone(port, bodies, WARM_UP * PAUSE_SECONDS)
            measure(port, bodies, batch, options.rounds)


def measure(port: int, bodies: list[bytes], batch: Path, rounds: int) -> None:
    """Print a line for each pair of rounds, and the medians."""
    ratios, before = [], 0
    process = psutil.Process(os.getpid())
    for _ in range(rounds):
        quiet = milliseconds(alone(port, bodies, 10))
        with watched(process) as seen:
            taken, told = beside_a_batch(port, bodies, batch)
        loud = milliseconds(taken)
        before = before or seen[0]
        ratios.append(loud[1] / quiet[1])
        say(
            f"alone p50 {quiet[0]:.2f} p99 {quiet[1]:.2f} ms; beside the batch p50 "
            f"{loud[0]:.2f} p99 {loud[1]:.2f} ms; p99 {ratios[-1]:.2f} times; batch "
            f"{told['rows'] / told['seconds']:,.0f} rows/s, first part after "
            f"{told['first_seconds']:.1f} s, {told['errors']} errors; memory "
            f"{before / 1e6:.0f} MB before, {max(seen) / 1e6:.0f} MB at most"
        )
    say(f"median ratio of the p99: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
