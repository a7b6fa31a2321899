"""Reports in MLflow: figures and files of a run that registers no model."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow


def log_report(
    name: str,
    figures: Mapping[str, float],
    *,
    files: Mapping[str, bytes],
    facts: Mapping[str, Any],
) -> str:
    """Log a report as a run below the current one.

    Args:
        name: Names the run.
        figures: Metrics.
        files: File name -> content.
        facts: File name -> a JSON value.

    Returns:
        The run's id.
    """
    with mlflow.start_run(run_name=name, nested=True) as run:
        mlflow.log_metrics(dict(figures))
        for file, value in facts.items():
            mlflow.log_dict(value, file)
        log_files(run.info.run_id, files)
        return str(run.info.run_id)


def log_files(run_id: str, files: Mapping[str, bytes]) -> None:
    """Add files to a run that exists.

    Args:
        run_id: The run.
        files: Path below the run's artifacts -> content.
    """
    with tempfile.TemporaryDirectory() as made:
        for name, content in files.items():
            path = Path(made) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        mlflow.MlflowClient().log_artifacts(run_id, made)
