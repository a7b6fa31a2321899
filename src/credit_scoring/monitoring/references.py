"""What the artifacts of the models that decided know: references, and features."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision_log.records import DecisionEntry
from credit_scoring.errors import ArtifactError, CreditScoringError, InvalidRequestError
from credit_scoring.monitoring.bins import ReferenceBins
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.manifest import read_manifest, verify_files
from credit_scoring.replay.artifacts import Artifacts

Values = NDArray[np.float64]


class ArtifactReferences:
    """Reference distributions by the digest of the artifact; each is read once."""

    def __init__(self, artifacts: Artifacts, until: ExitStack) -> None:
        """Look among artifacts.

        Args:
            artifacts: Where they are looked for.
            until: Keeps their files as long as it is open.
        """
        self._artifacts = artifacts
        self._until = until
        self._folders: dict[str, Path | None] = {}

    def __call__(self, digest: str, features: Sequence[str]) -> ReferenceBins | None:
        """Give the bins; None if the artifact is nowhere, or is not what it was."""
        folder = self.folder(digest)
        if folder is None:
            return None
        try:
            content = json.loads((folder / "reference.json").read_bytes())
            return ReferenceBins.of_reference(content, features)
        except (ArtifactError, OSError, ValueError):
            return None

    def folder(self, digest: str) -> Path | None:
        """Give the verified folder of an artifact; None if there is none."""
        if digest not in self._folders:
            self._folders[digest] = self._find(digest)
        return self._folders[digest]

    def _find(self, digest: str) -> Path | None:
        found = self._artifacts.find(digest, self._until)
        if found is None:
            return None
        try:
            verify_files(found.folder, read_manifest(found.folder))
        except ArtifactError:
            return None
        return found.folder


class ArtifactFeatures:
    """Features of decisions that are logged without: computed again from the inputs.

    By the artifact that decided. A row is believed only if its margin comes out as it
    was logged, to the bit.
    """

    def __init__(self, references: ArtifactReferences) -> None:
        """Take artifacts from where their references are."""
        self._references = references
        self._computing: dict[str, _Computing | None] = {}

    def __call__(
        self, digest: str, entries: Sequence[DecisionEntry]
    ) -> Sequence[Values | None]:
        """Compute the feature row of each decision; None where it cannot be had."""
        if digest not in self._computing:
            self._computing[digest] = self._load(digest)
        computing = self._computing[digest]
        if computing is None:
            return [None] * len(entries)
        return computing.rows(entries)

    def _load(self, digest: str) -> "_Computing | None":
        folder = self._references.folder(digest)
        if folder is None:
            return None
        try:
            artifact = load_artifact(folder)
        except ArtifactError:
            return None
        return _Computing(artifact.engine, RequestDecoder(artifact.contract))


class _Computing:
    """Computes feature rows with one artifact."""

    def __init__(self, engine: DecisionEngine, decoder: RequestDecoder) -> None:
        self._engine, self._decoder = engine, decoder
        self._names = frozenset(engine.columns)

    def rows(self, entries: Sequence[DecisionEntry]) -> list[Values | None]:
        found: list[Values | None] = [None] * len(entries)
        read = {
            place: application
            for place, entry in enumerate(entries)
            if (application := self._read(entry)) is not None
        }
        if not read:
            return found
        columns = self._decoder.columns(list(read.values()))
        try:
            again = self._engine.decide_unexplained(columns)
        except CreditScoringError:
            return found
        for row, place in enumerate(read):
            if entries[place].margin == again.margin[row]:
                found[place] = again.features[row]
        return found

    def _read(self, entry: DecisionEntry) -> Application | None:
        inputs = entry.inputs
        if not isinstance(inputs, dict) or not self._names.issuperset(inputs):
            return None
        body = msgspec.json.encode({**inputs, "loan_id": entry.loan_id})
        try:
            application = self._decoder.decode(body)
        except InvalidRequestError:
            return None
        return application if application.has_history else None
