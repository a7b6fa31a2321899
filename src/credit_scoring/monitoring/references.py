"""Finding the reference distributions of the models that decided."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from credit_scoring.errors import ArtifactError
from credit_scoring.monitoring.bins import ReferenceBins
from credit_scoring.registry.manifest import read_manifest, verify_files
from credit_scoring.replay.artifacts import Artifacts


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
