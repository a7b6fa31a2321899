"""How long it takes to decide again on a log that the real recorder wrote.

    make bench-replay       # python tests/benchmarks/replay.py

The served models decide on real applications through the recorder of the service, half
of them explained; then `replay_log` verifies the log and decides again, with the
artifacts from MLflow's registry or BentoML's store.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bentoml
import mlflow
import pyarrow.parquet as pq
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Role
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.replay.artifacts import RegisteredArtifacts
from credit_scoring.replay.replaying import replay_log
from credit_scoring.serving.assembly import (
    Models,
    decision_recorder,
    load_models,
    router,
)
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.models import model_folder
from credit_scoring.serving.recording_metrics import LogMetrics
from credit_scoring.serving.scoring import Scoring
from credit_scoring.serving.settings import Settings

PROJECT = Path(__file__).parents[2]
BATCH = 500


def main() -> None:
    """Write a log, replay it, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--routing", choices=("champion", "shadow"), default="champion")
    asked = parser.parse_args()
    mlflow.set_tracking_uri(f"sqlite:///{PROJECT / 'mlflow.db'}")
    with tempfile.TemporaryDirectory(prefix="credit_scoring-") as place:
        folder = Path(place) / "decisions"
        write_log(folder, asked.decisions, asked.routing)
        started, cpu = time.perf_counter(), time.process_time()
        found = replay_log(folder, RegisteredArtifacts("credit_scoring")).as_json()
        seconds = time.perf_counter() - started
        replayed = found["replayed"]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(
            f"{replayed['decisions']} decisions, {replayed['shadows']} in the shadow, "
            f"in {seconds:.1f} s ({time.process_time() - cpu:.1f} s of CPU); "
            f"{'all as logged' if found['reproduced'] else 'DIFFERENCES'}; "
            f"peak memory with the service that wrote them {peak:.0f} MB\n"
        )
        sys.exit(0 if found["reproduced"] else 1)


def write_log(folder: Path, decisions: int, routing: str) -> None:
    """Let the served models decide, each decision through the recorder."""
    models = served_models()
    settings = Settings.model_validate(
        {
            "decision_log_dir": str(folder),
            "routing": routing,
            "challenger_waiting": 1_000_000,
        }
    )
    metrics = ServiceMetrics(CollectorRegistry())
    recorder = decision_recorder(models, settings, LogMetrics(CollectorRegistry()))
    routes = router(models, settings, metrics.routing, listener=recorder.record_shadows)
    scoring = Scoring(
        champion=models.champion, router=routes, metrics=metrics, recorder=recorder
    )
    bodies = applications(models, decisions)
    explain = False
    for start in range(0, decisions, BATCH):
        body = b"[" + b",".join(bodies[start : start + BATCH]) + b"]"
        batch: list[Any] = models.decoder.decode_many(body)
        completed, stored = asyncio.run(scoring.complete(batch))
        scoring.decide_many(completed, explain=explain, stored=stored)
        explain = not explain
        if routing == "shadow":
            routes.close()  # which lets the challenger catch up
    routes.close()
    recorder.close()


def served_models() -> Models:
    """Load champion and challenger as the service does."""
    tags = json.loads((PROJECT / "bentos" / "models.json").read_bytes())

    champion, challenger = (
        model_folder(bentoml.models.get(tags[role])) if tags.get(role) else None
        for role in ("champion", "challenger")
    )
    if champion is None:
        raise SystemExit("there is no champion: run kedro run first")
    return load_models(champion, challenger)


def applications(models: Models, count: int) -> list[bytes]:
    """Give requests of real applications, over and over, each with its own id."""
    contract = models.contract
    names = contract.names(Role.APPLICATION, Role.HISTORY)
    table = pq.read_table(
        PROJECT / "data" / "02_intermediate" / "validated_applications.parquet",
        columns=list(names),
    ).to_pylist()
    decoder = RequestDecoder(contract)
    rows = [row for row in table if _is_valid(decoder, row)]
    return [
        json.dumps({"loan_id": f"R-{number}", **rows[number % len(rows)]}).encode()
        for number in range(count)
    ]


def _is_valid(decoder: RequestDecoder, row: dict[str, Any]) -> bool:
    for name, value in row.items():
        if isinstance(value, float) and value.is_integer():
            row[name] = int(value)
    (read,) = decoder.decode_many(json.dumps([{"loan_id": "R", **row}]).encode())
    return not isinstance(read, Exception)


if __name__ == "__main__":
    main()
