"""Run one job, killed at random moments and begun again, until it is done.

    python killed_runs.py ARTIFACT SOURCE FOLDER KILLS

prints how many kills met a job under way. Each run is a fork of this process, which
has loaded the models, so that a kill may meet any moment of the work itself.
"""

import os
import random
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from credit_scoring.batch.models import BatchModels, batch_model
from credit_scoring.batch.running import BatchRequest, prepare, run_batch
from credit_scoring.registry.artifact import load_artifact


def run(models: BatchModels, source: str, folder: Path) -> None:
    request = BatchRequest(
        source,
        folder / "scores",
        scored_at=datetime(2026, 3, 4, 12, 0, tzinfo=UTC),
        log_folder=folder / "log",
        chunk_rows=50,
    )
    run_batch(prepare(request, models))


def main(artifact: str, source: str, place: str, kills: str) -> None:
    loaded = load_artifact(Path(artifact), compiled=True)
    model = batch_model(loaded, "champion", name="credit_scoring", version="2")
    models = BatchModels(loaded.contract, model)
    folder = Path(place)
    folder.mkdir()
    generator = random.Random(20260304)  # noqa: S311 - moments, not secrets
    met = 0
    for number in range(int(kills) + 1):
        child = os.fork()
        if child == 0:
            try:
                run(models, source, folder)
            except BaseException as error:  # noqa: BLE001 - told by the exit code
                sys.stderr.write(f"{error!r}\n")
                os._exit(1)
            os._exit(0)
        if number < int(kills):
            time.sleep(generator.uniform(0.05, 0.6))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            met += 1
        elif os.WEXITSTATUS(status):
            sys.exit(1)
    sys.stdout.write(f"{met}\n")


main(*sys.argv[1:])
