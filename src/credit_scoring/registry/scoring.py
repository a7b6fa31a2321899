"""Deciding with a registered model, by the code it was registered with.

A champion may be older than the features that are here now. It then decides
in a process of its own by the copy of the code that MLflow keeps beside it, so
that a change of features does not shut out every comparison.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from credit_scoring.errors import ArtifactError
from credit_scoring.registry.artifact import Artifact, load_artifact

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


@dataclass(frozen=True)
class Scored:
    """What a registered model makes of applications, each of shape (n,).

    Attributes:
        margin: Uncalibrated log-odds of bad.
        pd_: Probability of default.
        score: Points as reported.
        outcome: 0 approve, 1 refer, 2 decline, by its own policy.
    """

    margin: Values
    pd_: Values
    score: Values
    outcome: NDArray[np.int64]


def decide_with(model_folder: Path, columns: Mapping[str, Values]) -> Scored:
    """Decide on applications with a registered model.

    Args:
        model_folder: The MLflow model: artifact and code.
        columns: Contract columns of the applications, each of shape (n,).

    Raises:
        ArtifactError: If neither the code here nor the code beside the model
            can decide with it.
    """
    folder = artifact_folder(model_folder)
    try:
        artifact = load_artifact(folder)
    except ArtifactError:
        return _by_its_own_code(model_folder / "code", folder, columns)
    return _scored(artifact, columns)


def _scored(artifact: Artifact, columns: Mapping[str, Values]) -> Scored:
    found = artifact.engine.decide_unexplained(columns)
    return Scored(found.margin, found.pd_, found.score, found.outcome)


def _by_its_own_code(code: Path, folder: Path, columns: Mapping[str, Values]) -> Scored:
    with tempfile.TemporaryDirectory(prefix="credit_scoring-") as place:
        asked, answered = Path(place) / "columns.npz", Path(place) / "decided.npz"
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
        if done.returncode or not answered.exists():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ArtifactError(
                f"neither this code nor its own can decide with it: {last[:300]}"
            )
        with np.load(answered, allow_pickle=False) as file:
            return Scored(**{name: file[name] for name in file.files})


def main(folder: str, asked: str, answered: str) -> None:
    """Decide on the columns in one file and write what comes of it to another."""
    with np.load(asked, allow_pickle=False) as file:
        columns = {name: file[name] for name in file.files}
    scored = _scored(load_artifact(Path(folder)), columns)
    np.savez(answered, allow_pickle=False, **vars(scored))


if __name__ == "__main__":
    main(*sys.argv[1:])
