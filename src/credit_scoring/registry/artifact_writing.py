"""Writing an artifact: all of it or nothing, and the same bytes each time."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.model import Contract
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import ArtifactError
from credit_scoring.features.definition import FeatureSet
from credit_scoring.registry.artifact import COLUMN_PREFIX, UNCERTAINTY
from credit_scoring.registry.manifest import (
    FORMAT,
    MANIFEST,
    Manifest,
    Provenance,
    digests_of,
)

Values = NDArray[np.float64]


@dataclass(frozen=True)
class ArtifactContents:
    """What goes into an artifact.

    Attributes:
        contract: The columns of an application.
        feature_set: Computes the features.
        engine: Decides, with the background that its reasons compare with.
        background: Feature rows of just-approved applicants.
        reference: Distributions of the training applications.
        reference_columns: Contract columns of some applications; what the
            engine decides on them now is what it must decide wherever the
            artifact is loaded.
        metrics: Split -> measure -> value with its interval.
        model_card: Markdown.
        provenance: Data, code and environment.
    """

    contract: Contract
    feature_set: FeatureSet
    engine: DecisionEngine
    background: Values
    reference: Mapping[str, Any]
    reference_columns: Mapping[str, Values]
    metrics: Mapping[str, Any]
    model_card: str
    provenance: Provenance


def write_artifact(folder: Path, contents: ArtifactContents) -> str:
    """Write an artifact's folder, replacing what was there.

    It is written beside its place and then moved there, so that nobody ever
    sees half of it.

    Args:
        folder: The artifact's folder; its parent need not exist.
        contents: What goes into it.

    Returns:
        The artifact's digest: equal contents have equal digests.

    Raises:
        ArtifactError: If the metrics or the reference hold what JSON cannot say.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        fresh.chmod(0o755)
        _write_files(fresh, contents)
        _write_json(
            fresh / MANIFEST, _manifest(fresh, contents).model_dump(mode="json")
        )
        digest = sha256_of_file(fresh / MANIFEST)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return digest


def _write_files(folder: Path, contents: ArtifactContents) -> None:
    grading = contents.engine.grading
    _write_json(folder / "contract.json", contents.contract.model_dump(mode="json"))
    _write_json(folder / "features.json", _features(contents))
    _write_json(
        folder / "calibration.json", grading.calibration.model_dump(mode="json")
    )
    _write_json(folder / "scaling.json", grading.scaling.model_dump(mode="json"))
    _write_json(
        folder / "policy.json", grading.policy.model_dump(mode="json", by_alias=True)
    )
    uncertainty = contents.engine.uncertainty
    if uncertainty is not None:
        _write_json(folder / UNCERTAINTY, uncertainty.model_dump(mode="json"))
    _write_json(folder / "reference.json", contents.reference)
    _write_json(folder / "metrics.json", contents.metrics)
    (folder / "model_card.md").write_text(contents.model_card, encoding="utf-8")
    (folder / "model").mkdir()
    contents.engine.model.save(folder / "model")
    np.savez(folder / "background.npz", features=contents.background)
    _write_reference_rows(folder / "reference_rows.npz", contents)


def _write_json(path: Path, value: Any) -> None:
    try:
        text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"{path.name}: {error}") from None
    path.write_text(text + "\n", encoding="utf-8")


def _features(contents: ArtifactContents) -> dict[str, Any]:
    feature_set = contents.feature_set
    return {
        "feature_set": feature_set.name,
        "feature_version": feature_set.version(contents.contract.digest),
        "features": [
            {
                "name": feature.name,
                "direction": feature.direction,
                "reason": feature.reason,
                "description": feature.description,
            }
            for feature in feature_set.features
        ],
        "reasons": feature_set.reasons,
    }


def _write_reference_rows(path: Path, contents: ArtifactContents) -> None:
    columns = contents.reference_columns
    decisions = contents.engine.decide_unexplained(columns)
    np.savez(
        path,
        allow_pickle=False,
        features=decisions.features,
        margin=decisions.margin,
        pd=decisions.pd_,
        score=decisions.score,
        contributions=contents.engine.model.contributions(decisions.features),
        **{COLUMN_PREFIX + name: values for name, values in sorted(columns.items())},
    )


def _manifest(folder: Path, contents: ArtifactContents) -> Manifest:
    return Manifest(
        format=FORMAT,
        family=contents.engine.model.family,
        feature_set=contents.feature_set.name,
        feature_version=contents.feature_set.version(contents.contract.digest),
        contract_digest=contents.contract.digest,
        policy_version=contents.engine.policy_version,
        background_rows=len(contents.background),
        provenance=contents.provenance,
        files=digests_of(folder),
    )
