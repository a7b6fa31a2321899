"""What `kedro run` costs before its first node, and which libraries cost it.

    make bench-start        # python tests/benchmarks/start_up.py

Each start ends where the first node would run, or where a run is refused whose inputs
are not there. Starts of different pipelines take turns; a table shows the medians of
the processor's time, which other work on the machine disturbs least, and of the wall's.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

STARTED = """
import os, sys
from kedro.framework.cli.cli import main
from kedro.pipeline.node import Node
ended = lambda *_, **__: os._exit(0)
Node.run, sys.argv = ended, ["kedro", "run", "--pipelines", *sys.argv[1:]]
try:
    main()
finally:
    ended()
"""
PIPELINES = ("ingestion", "outcomes", "guard", "replay")
# Each with what it needs itself.
LIBRARIES = (
    "kedro.framework.cli.cli",
    "pandas",
    "numba",
    "scipy.stats",
    "sklearn.linear_model",
    "matplotlib.pyplot",
    "redis.asyncio",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
    "kedro_mlflow.framework.hooks",
)


def cost(program: str, *arguments: str) -> tuple[float, float]:
    """Give the processor's and the wall's seconds of a Python program."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    # Waited for here, which it does not know.
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise SystemExit(f"failed: {program} {' '.join(arguments)}")
    return used.ru_utime + used.ru_stime, time.perf_counter() - started


def table(title: str, programs: dict[str, Sequence[str]], rounds: int) -> None:
    """Print the medians of some programs that take turns."""
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            costs[name].append(cost(*program))
    print(f"\n| {title} | CPU s | wall s |\n| --- | ---: | ---: |")  # noqa: T201
    for name, taken in costs.items():
        cpu, wall = (statistics.median(column) for column in zip(*taken, strict=True))
        print(f"| {name} | {cpu:.1f} | {wall:.1f} |")  # noqa: T201


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="starts of each")
    rounds = parser.parse_args().rounds
    # Each start would compile its libraries anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    starts = {f"kedro run --pipelines {name}": (STARTED, name) for name in PIPELINES}
    table("start", starts, rounds)
    table("import of", {name: (f"import {name}",) for name in LIBRARIES}, rounds)


if __name__ == "__main__":
    main()
