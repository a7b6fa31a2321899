"""Batch scoring beside XGBoost alone and the pandas way, in alternating rounds.

    make bench-batch            # ROWS=1000000 ROUNDS=3

Each contender is a process of its own, as its peak memory is measured, too.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PROJECT = Path(__file__).parents[2]
REPORT = PROJECT / "data/08_reporting/benchmarks/batch.json"
ROWS_EXPLAINED_BY_XGBOOST = 20_000
CONTENDERS = (
    "ours, no reasons",
    "ours, four reasons",
    "ours, as configured",
    "xgboost, inplace_predict alone",
    "xgboost, pred_contribs alone",
    "pandas",
)


def models() -> Any:
    from credit_scoring.batch.models import load_released

    return load_released(json.loads((PROJECT / "bentos/models.json").read_bytes()))


def ours(source: Path, folder: Path, reasons: str, *, logged: bool) -> dict[str, Any]:
    # Kedro's start imports these, pandas with its datasets; then the node begins.
    import pandas  # noqa: F401

    import credit_scoring.pipelines.batch_scoring.nodes  # noqa: F401
    from credit_scoring.batch.running import BatchRequest, prepare, run_batch

    started = time.perf_counter()

    released = models()
    first: list[float] = []

    def progress(rows: int) -> None:
        if not first:
            first.append(time.perf_counter() - started)

    log = folder / "log" if logged else None
    request = BatchRequest(str(source), folder / "out", reasons=reasons, log_folder=log)
    begun = time.perf_counter()
    summary = run_batch(prepare(request, released), progress)
    return {
        "rows": summary["rows"],
        "seconds": time.perf_counter() - begun,
        "first_chunk_seconds": first[0],
    }


def features_of(source: Path, rows: int | None = None) -> tuple[Any, Any]:
    import pyarrow.parquet as pq

    released = models()
    engine = released.champion.engine.engine
    parts = []
    for batch in pq.ParquetFile(source).iter_batches(65_536):
        columns = {n: np.asarray(batch[n], np.float64) for n in engine.columns}
        parts.append(engine.features.compute(columns))
        if rows is not None and sum(map(len, parts)) >= rows:
            break
    return released, np.concatenate(parts)[:rows]


def booster(released: Any) -> Any:
    import xgboost

    loaded = xgboost.Booster({"nthread": os.cpu_count()})
    loaded.load_model(bytearray(released.champion.engine.engine.model.booster))
    return loaded


def predict_alone(source: Path) -> dict[str, Any]:
    released, x = features_of(source)
    model = booster(released)
    model.inplace_predict(x[:1000])
    begun = time.perf_counter()
    model.inplace_predict(x)
    return {"rows": len(x), "seconds": time.perf_counter() - begun}


def contribs_alone(source: Path) -> dict[str, Any]:
    import xgboost

    released, x = features_of(source, ROWS_EXPLAINED_BY_XGBOOST)
    model = booster(released)
    names = list(released.champion.engine.engine.features.names)
    matrix = xgboost.DMatrix(x, feature_names=names)
    begun = time.perf_counter()
    model.predict(matrix, pred_contribs=True)
    return {"rows": len(x), "seconds": time.perf_counter() - begun}


def pandas_way(source: Path, folder: Path) -> dict[str, Any]:
    import pandas as pd

    released = models()
    engine = released.champion.engine.engine
    features = engine.features
    plain = type(features)(
        name=features.name,
        features=features.features,
        reasons=features.reasons,
        source=features._source,
    )
    model, grading = booster(released), engine.grading
    begun = time.perf_counter()
    frame = pd.read_parquet(source)
    x = plain.compute({n: frame[n].to_numpy(np.float64) for n in engine.columns})
    margin = model.inplace_predict(x, predict_type="margin").astype(np.float64)
    log_odds = grading.calibration.intercept + grading.calibration.slope * margin
    frame["pd"] = 1 / (1 + np.exp(-log_odds))
    scale = grading.scaling
    frame["score"] = (scale.offset - scale.factor * log_odds).round(1)
    edges = [-np.inf, *sorted(grading.limits.tolist()), np.inf]
    codes = [band.code for band in grading.policy.bands][::-1]
    frame["band"] = pd.cut(frame["score"], edges, right=False, labels=codes)
    low, high = grading.policy.decline_below, grading.policy.approve_from
    cuts = [frame["score"] < low, frame["score"] < high]
    frame["decision"] = np.select(cuts, ["decline", "refer"], "approve")
    chosen = ["loan_id", "pd", "score", "band", "decision"]
    frame[chosen].to_parquet(folder / "out.parquet")
    return {"rows": len(frame), "seconds": time.perf_counter() - begun}


def contend(name: str, source: Path) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="bench-batch-"))
    try:
        if name.startswith("ours"):
            logged = name.endswith("configured")
            reasons = {"no reasons": "none", "four reasons": "all"}
            kind = reasons.get(name.partition(", ")[2], "given")
            found = ours(source, folder, kind, logged=logged)
        elif name == "pandas":
            found = pandas_way(source, folder)
        elif "inplace" in name:
            found = predict_alone(source)
        else:
            found = contribs_alone(source)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = found["rows"] / found["seconds"]
    return {**found, "name": name, "rows_per_second": rate, "peak_mb": peak}


def in_a_process(name: str, source: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--contend", name, "--source", str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def resampled(path: Path, rows: int) -> None:
    """Write so many rows of the validated ones, each drawn anew, with new ids."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    real = pq.read_table(
        PROJECT / "data/02_intermediate/validated_applications.parquet"
    )
    generator = np.random.default_rng(20260304)
    with pq.ParquetWriter(path, real.schema) as writer:
        for start in range(0, rows, 131_072):
            n = min(131_072, rows - start)
            part = real.take(pa.array(generator.integers(0, len(real), n)))
            ids = pa.array([f"B-{start + i:010d}" for i in range(n)])
            place = real.schema.get_field_index("loan_id")
            ids = ids.cast(real.schema.field("loan_id").type)
            writer.write_table(part.set_column(place, real.schema.field(place), ids))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contend")
    parser.add_argument("--source", type=Path)
    given = parser.parse_args()
    if given.contend:
        sys.stdout.write(json.dumps(contend(given.contend, given.source)) + "\n")
        return
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as place:
        source = given.source or Path(place) / "accounts.parquet"
        if given.source is None:
            resampled(source, given.rows)
        results = [
            in_a_process(name, source)
            for _ in range(given.rounds)
            for name in CONTENDERS
        ]
    report(results)


def report(results: list[dict[str, Any]]) -> None:
    by_name = {n: [r for r in results if r["name"] == n] for n in CONTENDERS}
    speed = {
        name: statistics.median(r["rows_per_second"] for r in found)
        for name, found in by_name.items()
    }
    lines = ["| contender | rows/s, median | peak MB |", "| --- | --- | --- |"]
    for name, found in by_name.items():
        peak = max(r["peak_mb"] for r in found)
        lines.append(f"| {name} | {speed[name]:,.0f} | {peak:,.0f} |")
    plain, explained = speed["ours, no reasons"], speed["ours, four reasons"]
    first = statistics.median(
        r["first_chunk_seconds"] for n in by_name if n[:4] == "ours" for r in by_name[n]
    )
    bars = (
        ("of inplace_predict alone", plain / speed[CONTENDERS[3]], "at least 1.3"),
        ("of the pandas way", plain / speed["pandas"], "at least 3"),
        ("of pred_contribs alone", explained / speed[CONTENDERS[4]], "at least 40"),
        ("seconds to the first chunk", first, "below 3"),
    )
    lines += ["", "| bar | measured | asked for |", "| --- | --- | --- |"]
    lines += [f"| {what} | {value:.2f} | {asked} |" for what, value, asked in bars]
    sys.stdout.write("\n".join(lines) + "\n")
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
