"""How much memory of a Redis server histories take, by the number of loans.

    make bench-store            # redis-server if it is installed, else the wheel's

Benchmark data is materialized into a server of its own, new for each size.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import redis

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.datasets.histories import ParquetBatches
from credit_scoring.decision.feature_sets import feature_set_of
from credit_scoring.feature_store.encoding import HistoryEncoding
from credit_scoring.feature_store.keys import Keys
from credit_scoring.feature_store.materialization import Materializer
from credit_scoring.feature_store.selection import SelectedHistories
from credit_scoring.serving.local_redis import server_binary

PROJECT = Path(__file__).parents[2]
REPORT = PROJECT / "data/08_reporting/benchmarks/store_size.json"
# Rows of one file of benchmark data.
MOST = 1 << 20
DAY = 86_400


def server(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    binary = shutil.which("redis-server") or str(server_binary())
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    started = subprocess.Popen(
        [binary, *options, "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with redis.Redis(port=port) as client:
                client.ping()
            return started, port
        except redis.ConnectionError:
            time.sleep(0.05)
    started.kill()
    raise SystemExit("the server did not start")


def measure(rows: int) -> dict[str, Any]:
    contract = contract_from_yaml(PROJECT / "conf/base/parameters_contract.yml")
    version = feature_set_of("taiwan_default", contract).version(contract.digest)
    with tempfile.TemporaryDirectory(prefix="bench-store-") as place:
        made = Path(place) / "accounts"
        module = "credit_scoring.benchmark_data"
        asked = ["--rows", str(rows), "--output", str(made)]
        subprocess.run([sys.executable, "-m", module, *asked], check=True, cwd=PROJECT)
        path = str(made / "part-00000.parquet")
        histories = SelectedHistories(
            contract,
            version,
            None,
            ParquetBatches(fsspec.filesystem("file"), path, 10_000),
        )
        process, port = server(Path(place))
        try:
            materializer = Materializer(
                f"redis://127.0.0.1:{port}/0",
                keys=Keys("bench", version),
                encoding=HistoryEncoding(contract, version),
                seconds_to_live=400 * DAY,
            )
            done = materializer.write(histories.batches(), as_of=datetime.now(UTC))
            with redis.Redis(port=port) as client:
                info: Any = client.info()
        finally:
            process.kill()
            process.wait()
    return {
        "keys": rows,
        "seconds": done.seconds,
        "value_bytes": done.value_bytes,
        "bytes_per_key": done.bytes_per_key,
        "resident_mb": info["used_memory_rss"] / (1 << 20),
        "server": f"{info.get('server_name', 'redis')} {info['redis_version']}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes = [10_000, 100_000, 1_000_000]
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes)
    given = parser.parse_args()
    if max(given.sizes) > MOST:
        parser.error(f"at most {MOST} keys")
    results = [measure(rows) for rows in given.sizes]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(results, indent=1), encoding="utf-8")
    lines = [
        f"{results[0]['server']}",
        "| keys | bytes a value | bytes a key | resident MB | seconds |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {r['keys']:,} | {r['value_bytes']:.0f} | {r['bytes_per_key']:.0f} "
            f"| {r['resident_mb']:.0f} | {r['seconds']:.1f} |"
            for r in results
        ),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
