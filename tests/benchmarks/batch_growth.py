"""How time and memory of batch scoring grow with the rows.

    make bench-growth           # SIZES="100000 1000000 10000000"

Each size is scored in a process of its own, from Parquet to Parquet, with the reasons
and the decision log as configured. `--markdown` writes the table and the plot into
docs/reference.
"""

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
REPORT = PROJECT / "data/08_reporting/benchmarks/batch_growth.json"
PAGE = PROJECT / "docs/reference/scale.md"
PLOT = PROJECT / "docs/reference/images/batch-growth.svg"
BEGIN, END = "<!-- growth -->\n", "<!-- /growth -->"


def score(source: Path, folder: Path) -> dict[str, Any]:
    from credit_scoring.batch.models import load_released
    from credit_scoring.batch.running import BatchRequest, prepare, run_batch

    released = load_released(json.loads((PROJECT / "bentos/models.json").read_bytes()))
    request = BatchRequest(str(source), folder / "out", log_folder=folder / "log")
    begun = time.perf_counter()
    summary = run_batch(prepare(request, released))
    return {
        "rows": summary["rows"],
        "seconds": time.perf_counter() - begun,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def in_a_process(source: Path, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--score", str(source), "--into", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as place:
        source = Path(place) / "accounts"
        module = "credit_scoring.benchmark_data"
        asked = ["--rows", str(rows), "--output", str(source)]
        subprocess.run([sys.executable, "-m", module, *asked], check=True, cwd=PROJECT)
        return in_a_process(source, Path(place))


def table(results: list[dict[str, Any]]) -> str:
    lines = ["| rows | seconds | rows/s | peak MB |", "| ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {r['rows']:,} | {r['seconds']:,.1f} | {r['rows'] / r['seconds']:,.0f} "
        f"| {r['peak_mb']:,.0f} |"
        for r in results
    ]
    return "\n".join(lines) + "\n"


def draw(results: list[dict[str, Any]], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # It looks for fonts that a machine may not have, and takes another.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

    mpl.rcParams["svg.hashsalt"] = "batch-growth"
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    seconds, memory = figure.subplots(1, 2)
    rows = [r["rows"] for r in results]
    seconds.loglog(rows, [r["seconds"] for r in results], "o-")
    seconds.set(xlabel="rows", ylabel="seconds", title="time")
    memory.semilogx(rows, [r["peak_mb"] for r in results], "o-")
    memory.set(xlabel="rows", ylabel="MB", title="peak memory", ylim=(0, 600))
    for axes in (seconds, memory):
        axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--score", type=Path)
    parser.add_argument("--into", type=Path)
    given = parser.parse_args()
    if given.score:
        found = score(given.score, given.into)
        sys.stdout.write(json.dumps(found) + "\n")
        return
    results = [measure(rows) for rows in given.sizes]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(results, indent=1), encoding="utf-8")
    sys.stdout.write(table(results))
    if given.markdown:
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        PAGE.write_text(before + BEGIN + table(results) + END + rest.split(END)[1])
        draw(results, PLOT)


if __name__ == "__main__":
    main()
