"""References are those of verified artifacts, or none; so are features of batches."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from credit_scoring.decision_log.reader import LoggedDecision, read_decisions
from credit_scoring.digests import sha256_of_file
from credit_scoring.monitoring.monitoring import Source, count_decisions, record_of
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.monitoring.references import ArtifactFeatures, ArtifactReferences
from credit_scoring.monitoring.windows import Window
from credit_scoring.registry.manifest import Manifest, Provenance, digests_of
from credit_scoring.registry.reference import reference_distributions
from credit_scoring.replay.artifacts import Found

from ..batch.conftest import (
    applications,
    artifacts,
    batch_models,
    contract,
    decided,
    folder,
    loaded,
    score,
    shelf,
    source,
)
from .conftest import DAY, NAMES, drawn

__all__ = [
    "applications",
    "artifacts",
    "batch_models",
    "contract",
    "decided",
    "folder",
    "loaded",
    "score",
    "shelf",
    "source",
]

Row = dict[str, Any]


class Shelf:
    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.asked = 0

    def find(self, digest: str, until: ExitStack) -> Found | None:
        self.asked += 1
        return None if self.folder is None else Found(self.folder, None, "here")


def artifact(folder: Path) -> Path:
    table = drawn(100, 1)
    reference = reference_distributions(table[:, 0], table[:, 1:], NAMES)
    (folder / "reference.json").write_text(json.dumps(reference))
    manifest = Manifest(
        format=1,
        family="scorecard",
        feature_set="x",
        feature_version="x",
        contract_digest="x",
        policy_version="x",
        background_rows=1,
        provenance=Provenance(
            data_digest="", git_revision="", git_dirty=None, environment_digest=""
        ),
        files=digests_of(folder),
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return folder


def test_the_bins_are_those_of_the_artifact(tmp_path: Path) -> None:
    shelf = Shelf(artifact(tmp_path))
    digest = sha256_of_file(tmp_path / "manifest.json")
    with ExitStack() as until:
        references = ArtifactReferences(shelf, until)
        bins = references(digest, NAMES)
        assert bins is not None
        assert bins.names == ("score", *NAMES)
        assert references.folder(digest) == tmp_path
        assert references(digest, ("another",)) is None
        assert shelf.asked == 1


@pytest.fixture
def scored(
    source: Path, score: Callable[..., Any], tmp_path: Path
) -> list[LoggedDecision]:
    """A batch, as the log has it."""
    score(source, log_folder=tmp_path / "log")
    return list(read_decisions(tmp_path / "log"))


def test_features_of_a_batch_are_those_that_the_service_logs(
    scored: list[LoggedDecision],
    decided: Callable[..., Any],
    applications: list[Row],
    folder: Path,
    shelf: Any,
) -> None:
    decided(("/predict/batch", applications), challenger=None)
    batch = {one.entry.loan_id: one.entry for one in scored}
    served = {one.entry.loan_id: one.entry for one in read_decisions(folder)}
    assert batch.keys() == served.keys()
    assert {one.features for one in batch.values()} == {None}
    with ExitStack() as until:
        compute = ArtifactFeatures(ArtifactReferences(shelf, until))
        digest = next(iter(batch.values())).model.digest
        rows = compute(digest, list(batch.values()))
    for loan_id, row in zip(batch, rows, strict=True):
        expected = served[loan_id].feature_row()
        assert row is not None
        assert expected is not None
        assert row.tobytes() == expected.tobytes()


def test_no_features_are_made_up(scored: list[LoggedDecision], shelf: Any) -> None:
    whole, *others = (one.entry for one in scored)
    forged = {
        "another limit": {"inputs": {**whole.inputs, "credit_limit": 1_000_000}},
        "breaks the contract": {"inputs": {**whole.inputs, "credit_limit": -1}},
        "what no decision may use": {"inputs": {**whole.inputs, "sex": 1}},
        "another margin": {"margin": np.nextafter(whole.margin, 1)},
        "no history": {"inputs": {"credit_limit": 20_000}},
    }
    entries = [msgspec.structs.replace(whole, **change) for change in forged.values()]
    digest = whole.model.digest
    with ExitStack() as until:
        compute = ArtifactFeatures(ArtifactReferences(shelf, until))
        found = compute(digest, [whole, *entries, others[0]])
        assert [row is not None for row in found] == [True, *[False] * 5, True]
        assert compute(digest, entries[1:2]) == [None]
        assert compute("d" * 64, [whole]) == [None]


def test_drift_of_a_batch_is_judged(scored: list[LoggedDecision], shelf: Any) -> None:
    """The made-up applications are not like the reference, so there is drift."""
    parameters = MonitoringParameters(least_decisions=100, sample_rows=10)

    def judged(kept: Any) -> Row:
        with ExitStack() as until:
            references = ArtifactReferences(shelf, until)
            features = ArtifactFeatures(ArtifactReferences(kept, until))
            found = Source(references, {}, parameters, features)
            counts = count_decisions(scored, found)
        day = Window(DAY, 24)
        return record_of(day, counts, segments={}, earlier=[], parameters=parameters)

    record = judged(shelf)
    (model,) = record["figures"]["models"].values()
    assert (model["decisions"], model["judged"]) == (len(scored), True)
    assert record["figures"]["without_features"] == 0
    subjects = {one["subject"] for one in record["findings"]}
    assert {"score_drift", "feature_drift"} <= subjects
    # With the artifact gone nothing is known, and that is said.
    blind = judged(Shelf(None))
    assert blind["verdict"] == "insufficient"
    assert blind["figures"]["without_features"] == len(scored)
    said = {one["subject"]: one["message"] for one in blind["findings"]}
    gone = f"the features of {len(scored)} decisions cannot be had: no drift known"
    assert said["features"] == gone


def test_an_artifact_that_is_nowhere_or_altered_has_none(tmp_path: Path) -> None:
    with ExitStack() as until:
        assert ArtifactReferences(Shelf(None), until)("d" * 64, NAMES) is None
        folder = artifact(tmp_path)
        path = folder / "reference.json"
        path.write_text(path.read_text().replace("0.1", "0.2", 1))
        assert ArtifactReferences(Shelf(folder), until)("d" * 64, NAMES) is None
