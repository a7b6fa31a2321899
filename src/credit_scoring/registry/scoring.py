"""Scoring with a registered model, by the code it was registered with.

A champion may be older than the features that are here now. It is then scored
in a process of its own by the copy of the code that MLflow keeps beside it, so
that a change of features does not shut out every comparison.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from credit_scoring.errors import ArtifactError
from credit_scoring.registry.artifact import load_artifact

Values = NDArray[np.float64]
_TIMEOUT_S = 300


def artifact_folder(model_folder: Path) -> Path:
    """Find the artifact in an MLflow model's folder.

    Raises:
        ArtifactError: If the folder is no MLflow model of ours.
    """
    try:
        described = yaml.safe_load((model_folder / "MLmodel").read_bytes())
        return model_folder / str(described["flavors"]["python_function"]["data"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"MLmodel: names no artifact folder ({type(error).__name__})"
        ) from None


def margins(model_folder: Path, columns: Mapping[str, Values]) -> Values:
    """Score applications with a registered model.

    Args:
        model_folder: The MLflow model: artifact and code.
        columns: Contract columns of the applications, each of shape (n,).

    Returns:
        Uncalibrated log-odds of bad, shape (n,).

    Raises:
        ArtifactError: If neither the code here nor the code beside the model
            can score with it.
    """
    folder = artifact_folder(model_folder)
    try:
        artifact = load_artifact(folder)
    except ArtifactError:
        return _margins_by_its_own_code(model_folder / "code", folder, columns)
    return artifact.engine.decide_unexplained(columns).margin


def _margins_by_its_own_code(
    code: Path, folder: Path, columns: Mapping[str, Values]
) -> Values:
    with tempfile.TemporaryDirectory(prefix="credit_scoring-") as place:
        asked, answered = Path(place) / "columns.npz", Path(place) / "margins.npy"
        np.savez(asked, allow_pickle=False, **dict(columns))
        done = subprocess.run(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", __name__, str(folder), str(asked), str(answered)],
            env={**os.environ, "PYTHONPATH": str(code)},
            cwd=place,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ArtifactError(
                f"neither this code nor its own can score with it: {last[:300]}"
            )
        found: Values = np.load(answered, allow_pickle=False)
        return found


def main(folder: str, asked: str, answered: str) -> None:
    """Score the columns in one file and write the margins to another."""
    with np.load(asked, allow_pickle=False) as file:
        columns = {name: file[name] for name in file.files}
    artifact = load_artifact(Path(folder))
    decisions = artifact.engine.decide_unexplained(columns)
    np.save(answered, decisions.margin, allow_pickle=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
