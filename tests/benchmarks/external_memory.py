"""How time and memory of growing trees follow the rows: in files, and in memory.

    make bench-external           # SIZES="1000000 4000000"

Benchmark data of each size is read, checked, given features and grown on in a process
of its own: once as conf/large does it, once with the same rows in one matrix. The trees
must be the same. `--markdown` writes the table into docs/reference.
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

PROJECT = Path(__file__).parents[2]
REPORT = PROJECT / "data/08_reporting/benchmarks/external_memory.json"
PAGE = PROJECT / "docs/reference/scale.md"
BEGIN, END = "<!-- external-memory -->\n", "<!-- /external-memory -->"
TREES = 100
VALIDATION_ROWS = 20_000
WAYS = ("files", "memory")


class RowsInMemory(list[Any]):
    """Takes rows as `StoredRows` does, and keeps them."""

    def add(self, x: Any, bad: Any) -> None:
        self.append((x.astype(np.float32), bad))

    folder: Path


def parameters_of(name: str) -> Any:
    path = PROJECT / f"conf/base/parameters_{name}.yml"
    return yaml.safe_load(path.read_text().replace("${", "{"))[name]


def read(source: Path, rows: Any) -> None:
    """Read training rows as the training pipeline does."""
    from credit_scoring.contract.model import Contract
    from credit_scoring.datasets.large_applications import digest_of
    from credit_scoring.pipelines.feature_engineering.parameters import (
        FeatureEngineeringParameters,
    )
    from credit_scoring.pipelines.training.storing import TrainingFiles

    files = TrainingFiles(
        digest=digest_of(str(source)),
        contract=Contract.model_validate(parameters_of("contract")),
        feature_engineering=FeatureEngineeringParameters.model_validate(
            parameters_of("feature_engineering")
        ),
        maximum_rejected_share=0.02,
    )
    files.store(str(source), rows)


def settings_of(point: dict[str, Any], limits: dict[str, int]) -> dict[str, Any]:
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "seed": 1,
        **limits,
        **point,
    }


def grow(source: Path, folder: Path, way: str) -> dict[str, Any]:
    """Grow trees on what is in the files; tell what it took."""
    from credit_scoring.boosting.external_memory import StoredGrower, stored_rows
    from credit_scoring.boosting.growers import HereGrower

    boosting = parameters_of("boosting")
    limits = {"max_bin": boosting["max_bin"], "nthread": 2}
    settings = settings_of(boosting["starting_point"], limits)
    begun = time.perf_counter()
    with stored_rows(folder / "rows") as stored:
        rows: Any = stored
        if way == "memory":
            rows = RowsInMemory()
            rows.folder = stored.folder
        read(source, rows)
        seconds_read = time.perf_counter() - begun
        x, bad = next(rows.parts()) if way == "files" else rows[0]
        validation = x[:VALIDATION_ROWS].astype(np.float64), bad[:VALIDATION_ROWS]
        if way == "files":
            count = len(rows)
            grower: Any = StoredGrower(rows, validation, **limits)
        else:
            x, bad = (np.concatenate(parts) for parts in zip(*rows, strict=True))
            rows.clear()
            count = len(x)
            grower = HereGrower((x, bad), validation, **limits)
            del x, bad
        booster = grower.grow(settings, rounds=TREES, stop=TREES)
        # XGBoost deletes its files with its matrix, and they must be there then.
        del grower
        held = sum(path.stat().st_size for path in stored.folder.iterdir())
    return {
        "way": way,
        "rows": count,
        "seconds_read": seconds_read,
        "seconds": time.perf_counter() - begun,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "disk_mb": held / 1e6 if way == "files" else 0.0,
        "trees": hashlib.sha256(bytes(booster.save_raw("json"))).hexdigest(),
    }


def in_a_process(source: Path, folder: Path, way: str) -> dict[str, Any]:
    asked = ["--grow", str(source), "--into", str(folder), "--way", way]
    done = subprocess.run(
        [sys.executable, __file__, *asked],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(rows: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="bench-memory-", dir="/var/tmp") as place:
        source = Path(place) / "accounts"
        module = "credit_scoring.benchmark_data"
        asked = ["--rows", str(rows), "--output", str(source)]
        subprocess.run([sys.executable, "-m", module, *asked], check=True, cwd=PROJECT)
        found = [in_a_process(source, Path(place), way) for way in WAYS]
    return [{"applications": rows, **one} for one in found]


def table(results: list[dict[str, Any]]) -> str:
    lines = [
        "| applications | training rows | in | read, s | all, s | peak MB | disk MB |",
        "| ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {r['applications']:,} | {r['rows']:,} | {r['way']} "
        f"| {r['seconds_read']:,.0f} | {r['seconds']:,.0f} | {r['peak_mb']:,.0f} "
        f"| {r['disk_mb']:,.0f} |"
        for r in results
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 4_000_000])
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--grow", type=Path)
    parser.add_argument("--into", type=Path)
    parser.add_argument("--way", choices=WAYS)
    given = parser.parse_args()
    if given.grow:
        found = grow(given.grow, given.into, given.way)
        sys.stdout.write(json.dumps(found) + "\n")
        return
    results = [one for rows in given.sizes for one in measure(rows)]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(results, indent=1), encoding="utf-8")
    sys.stdout.write(table(results))
    for rows in given.sizes:
        grown = {one["trees"] for one in results if one["applications"] == rows}
        if len(grown) > 1:
            raise SystemExit(f"{rows} applications: the two ways grew other trees")
    if given.markdown:
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        PAGE.write_text(before + BEGIN + table(results) + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
