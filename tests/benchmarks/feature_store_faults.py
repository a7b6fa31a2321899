"""What a service's clients notice of each fault of its feature store.

``python tests/benchmarks/feature_store_faults.py`` after ``kedro run``. It serves the
Bento made here with a Redis-protocol server of its own, sends applications of the data
without their history while the server is broken in one way after another, and prints
for each fault: requests sent, failed and lost, how many were referred for want of a
history, the slowest answer, and how soon after the repair histories were used again.
"""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import redis

from credit_scoring.serving.local_redis import server_binary
from credit_scoring.serving.local_server import HOST, LocalServer, free_port

RELEASE = Path("bentos/releases/current.json")
ROWS = Path("data/02_intermediate/validated_applications.parquet")
REQUESTS = 300
RECOVERY_SECONDS = 10.0


@dataclass
class Store:
    """A server on a port of this machine, with nothing on disk."""

    port: int
    folder: str
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                str(server_binary()),
                *("--port", str(self.port), "--bind", HOST, "--dir", self.folder),
                *("--save", "", "--maxmemory-policy", "noeviction"),
            ],
            stdout=subprocess.DEVNULL,
        )
        while True:
            with contextlib.suppress(redis.ConnectionError), self.client() as client:
                client.ping()
                return
            time.sleep(0.01)

    def client(self, password: str | None = None) -> Any:
        return redis.Redis(port=self.port, password=password)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def each_value(self, change: Callable[[bytes], bytes]) -> None:
        with self.client() as client:
            for key in client.scan_iter("cs:default:????????????????:*"):
                client.set(key, change(client.get(key)))

    def configure(self, name: str, value: str, password: str | None = None) -> None:
        with self.client(password) as client:
            client.config_set(name, value)
            if name == "requirepass":
                client.execute_command("CLIENT", "KILL", "TYPE", "normal")


def faults(
    store: Store,
) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """Name each fault, with how it comes and how it is repaired."""

    def nothing() -> None:
        pass

    def restart() -> None:
        store.stop()
        store.start()

    def corrupt(value: bytes) -> bytes:
        return value[:20] + bytes([value[20] ^ 1]) + value[21:]

    yield "none", nothing, nothing
    yield "down", store.stop, store.start
    yield (
        "frozen",
        lambda: store.signal(signal.SIGSTOP),
        lambda: store.signal(signal.SIGCONT),
    )
    yield "restarted empty", restart, nothing
    yield (
        "full",
        lambda: store.configure("maxmemory", "1kb"),
        lambda: store.configure("maxmemory", "0"),
    )
    yield "corrupt values", lambda: store.each_value(corrupt), nothing
    yield "truncated values", lambda: store.each_value(lambda v: v[:-5]), nothing
    yield (
        "values of another version",
        lambda: store.each_value(lambda v: v[:1] + b"12345678" + v[9:]),
        nothing,
    )
    yield (
        "another password",
        lambda: store.configure("requirepass", "other"),
        lambda: store.configure("requirepass", "", "other"),
    )


def applications() -> list[dict[str, Any]]:
    rows = pq.read_table(ROWS).slice(0, REQUESTS).to_pylist()
    wanted = ("loan_id", "credit_limit", "repayment", "bill", "payment")
    return [
        {name: value for name, value in row.items() if name.startswith(wanted)}
        for row in rows
    ]


def measure(client: httpx.Client, bare: list[dict[str, Any]]) -> dict[str, Any]:
    failed = referred = 0
    slowest = 0.0
    for row in bare:
        started = time.perf_counter()
        try:
            answer = client.post("/predict", json=row)
            failed += answer.status_code != 200
            referred += answer.json()["feature_source"] == "degraded"
        except httpx.HTTPError:
            failed += 1
        slowest = max(slowest, time.perf_counter() - started)
    return {
        "sent": len(bare),
        "failed": failed,
        "referred": referred,
        "slowest_ms": round(1000 * slowest, 1),
    }


def recovered(client: httpx.Client, rows: list[dict[str, Any]]) -> float | None:
    """Send histories until one is used again; seconds since the repair."""
    bare = {name: rows[0][name] for name in ("loan_id", "credit_limit")}
    started = time.perf_counter()
    while time.perf_counter() - started < RECOVERY_SECONDS:
        client.post("/predict/batch", json=rows)
        time.sleep(0.02)
        if client.post("/predict", json=bare).json()["feature_source"] == "store":
            return round(time.perf_counter() - started, 2)
    return None


def main() -> int:
    rows = applications()
    bare = [{name: row[name] for name in ("loan_id", "credit_limit")} for row in rows]
    bento = json.loads(RELEASE.read_bytes())["bento"]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(free_port(), folder)
        store.start()
        environment = {"CREDIT_SCORING_REDIS_URL": f"redis://{HOST}:{store.port}"}
        try:
            with (
                LocalServer(bento, Path(folder, "log")).running(
                    environment=environment
                ) as url,
                httpx.Client(base_url=url, timeout=30) as client,
            ):
                assert recovered(client, rows) is not None
                time.sleep(0.5)
                for name, broken, repaired in faults(store):
                    broken()
                    found = measure(client, bare)
                    repaired()
                    back = recovered(client, rows)
                    time.sleep(0.5)
                    results.append({"fault": name, **found, "recovered_s": back})
        finally:
            store.stop()
    lines = [list(results[0]), *[list(result.values()) for result in results]]
    for line in lines:
        sys.stdout.write(" | ".join(f"{cell!s:>{25}}" for cell in line) + "\n")
    return any(r["failed"] or r["recovered_s"] is None for r in results)


if __name__ == "__main__":
    sys.exit(main())
