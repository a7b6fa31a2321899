"""A champion of better times: the same model, calibrated when fewer went bad."""

from pathlib import Path

import numpy as np

from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact


def write_stale(source: Path, folder: Path, *, shift: float) -> str:
    """Write an artifact whose PDs are too low by a shift of the log-odds.

    All else is as in the source; the intervals of its PDs are for other PDs.

    Args:
        source: An artifact.
        folder: Where the other goes.
        shift: Subtracted from the log-odds of bad.

    Returns:
        The artifact's digest.
    """
    artifact = load_artifact(source)
    engine, old = artifact.engine, artifact.engine.grading
    calibration = old.calibration.model_copy(
        update={"intercept": old.calibration.intercept - shift}
    )
    stale = DecisionEngine(
        engine.model,
        Grading(calibration, old.scaling, old.policy),
        features=engine.features,
        groups=engine.groups,
        columns=engine.columns,
        uncertainty=engine.uncertainty,
    )
    with np.load(source / "background.npz", allow_pickle=False) as file:
        background = file["features"]
    # A shift of the log-odds is one of the score, the same for everybody.
    scores = dict(artifact.reference["score"])
    scores["edges"] = [edge + old.scaling.factor * shift for edge in scores["edges"]]
    contents = ArtifactContents(
        contract=artifact.contract,
        feature_set=artifact.feature_set,
        engine=stale,
        background=background,
        reference={**artifact.reference, "score": scores},
        reference_columns=artifact.reference_columns,
        metrics={},
        model_card=f"The log-odds of {artifact.manifest.family} less {shift:g}.\n",
        provenance=artifact.manifest.provenance,
    )
    return write_artifact(folder, contents)
