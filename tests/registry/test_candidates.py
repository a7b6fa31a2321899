from pathlib import Path

import numpy as np
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.parameters import BackgroundParameters, DecisionParameters
from credit_scoring.errors import PromotionError
from credit_scoring.features.definition import FeatureSet
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact
from credit_scoring.registry.candidates import Candidate, artifact_contents


@pytest.fixture
def candidate(
    engine: DecisionEngine, contract: Contract, feature_set: FeatureSet
) -> Candidate:
    return Candidate(
        model=engine.model,
        calibration=engine.grading.calibration,
        parameters=DecisionParameters(
            scaling=engine.grading.scaling,
            policy=engine.grading.policy,
            background=BackgroundParameters(within_points=5, minimum_rows=10),
        ),
        contract=contract,
        feature_set=feature_set,
    )


def contents_of(
    candidate: Candidate,
    columns: dict[str, np.ndarray],
    contents: ArtifactContents,
) -> ArtifactContents:
    return artifact_contents(
        candidate,
        background=np.array([[0.2, 0.0]]),
        train_columns=columns,
        metrics=contents.metrics,
        provenance=contents.provenance,
    )


def test_a_candidate_becomes_an_artifact_that_loads(
    candidate: Candidate,
    applications: dict[str, np.ndarray],
    contents: ArtifactContents,
    tmp_path: Path,
) -> None:
    made = contents_of(candidate, applications, contents)
    write_artifact(tmp_path / "artifact", made)
    loaded = load_artifact(tmp_path / "artifact")
    assert loaded.manifest.background_rows == len(made.background)
    assert len(loaded.reference_columns["debt"]) == 200


def test_reference_rows_reach_from_the_lowest_to_the_highest_score(
    candidate: Candidate,
    applications: dict[str, np.ndarray],
    contents: ArtifactContents,
) -> None:
    made = contents_of(candidate, applications, contents)
    everybody = made.engine.decide_unexplained(applications).score
    chosen = made.engine.decide_unexplained(made.reference_columns).score
    assert (chosen.min(), chosen.max()) == (everybody.min(), everybody.max())


def test_a_model_that_explains_against_other_rows_is_refused(
    candidate: Candidate,
    applications: dict[str, np.ndarray],
    contents: ArtifactContents,
) -> None:
    with pytest.raises(PromotionError, match="do not compare with the 2 background"):
        artifact_contents(
            candidate,
            background=np.array([[0.2, 0.0], [0.9, 3.0]]),
            train_columns=applications,
            metrics=contents.metrics,
            provenance=contents.provenance,
        )
