"""Folders in the catalog that nodes read as a whole."""

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, DatasetError


class FolderDataset(AbstractDataset[None, Path]):
    """A folder of the project; loaded as its path, read only."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        """Point at the folder; nothing is opened.

        Args:
            filepath: Local folder, e.g. ``bentos``.
            metadata: For Kedro-Viz and other plugins.
        """
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Give the folder, which may not be there."""
        return Path(self._filepath)

    def save(self, data: None) -> None:
        """Refuse: what is in the folder is not a run's to write.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._filepath}: this folder is read only")

    def _exists(self) -> bool:
        return Path(self._filepath).is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
