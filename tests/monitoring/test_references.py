"""References are those of verified artifacts, or none."""

import json
from contextlib import ExitStack
from pathlib import Path

from credit_scoring.digests import sha256_of_file
from credit_scoring.monitoring.references import ArtifactReferences
from credit_scoring.registry.manifest import Manifest, Provenance, digests_of
from credit_scoring.registry.reference import reference_distributions
from credit_scoring.replay.artifacts import Found

from .conftest import NAMES, drawn


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


def test_an_artifact_that_is_nowhere_or_altered_has_none(tmp_path: Path) -> None:
    with ExitStack() as until:
        assert ArtifactReferences(Shelf(None), until)("d" * 64, NAMES) is None
        folder = artifact(tmp_path)
        path = folder / "reference.json"
        path.write_text(path.read_text().replace("0.1", "0.2", 1))
        assert ArtifactReferences(Shelf(folder), until)("d" * 64, NAMES) is None
