"""Artifacts of candidates in the catalog."""

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact
from credit_scoring.registry.manifest import MANIFEST


class ArtifactDataset(AbstractDataset[ArtifactContents, Path]):
    """A model artifact: saved as a whole, loaded as the path of its folder.

    It is not verified on loading: whether it verifies is a gate's verdict.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        """Point at the artifact's folder; nothing is opened.

        Args:
            filepath: Local folder, e.g. ``data/09_release/boosting/artifact``.
            metadata: For Kedro-Viz and other plugins.
        """
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Give the folder.

        Raises:
            DatasetError: If it is not there.
        """
        if not self._exists():
            raise DatasetError(f"{self._filepath}: there is no such artifact")
        return Path(self._filepath)

    def save(self, data: ArtifactContents) -> None:
        """Write the artifact, replacing what was there."""
        write_artifact(Path(self._filepath), data)

    def preview(self) -> JSONPreview:
        """Show the manifest in Kedro-Viz."""
        path = Path(self._filepath) / MANIFEST
        return JSONPreview(path.read_text(encoding="utf-8"))

    def _exists(self) -> bool:
        return Path(self._filepath).is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
