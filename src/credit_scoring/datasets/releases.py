"""Records of releases in the catalog, as files that are never half written."""

import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

_CURRENT = "current.json"


class ReleaseDataset(AbstractDataset[dict[str, Any], dict[str, Any]]):
    """A folder of release records: one file a Bento, and the current one.

    Saving writes ``<version of the Bento>.json`` and then ``current.json``;
    loading reads the latter.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        """Point at the folder; nothing is opened.

        Args:
            filepath: Local folder, e.g. ``bentos/releases``.
            metadata: For Kedro-Viz and other plugins.
        """
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Read the current release.

        Raises:
            DatasetError: If nothing was released.
        """
        if not self._exists():
            raise DatasetError(f"{self._filepath}: nothing was released yet")
        record: dict[str, Any] = json.loads(self._current().read_bytes())
        return record

    def save(self, data: dict[str, Any]) -> None:
        """Write a release, and make it the current one."""
        folder = Path(self._filepath)
        folder.mkdir(parents=True, exist_ok=True)
        version = str(data["bento"]).partition(":")[2]
        text = json.dumps(data, indent=2) + "\n"
        for name in (f"{version}.json", _CURRENT):
            fresh = folder / f".{name}.new"
            fresh.write_text(text, encoding="utf-8")
            os.replace(fresh, folder / name)

    def preview(self) -> JSONPreview:
        """Show the current release in Kedro-Viz."""
        return JSONPreview(self._current().read_text(encoding="utf-8"))

    def _current(self) -> Path:
        return Path(self._filepath) / _CURRENT

    def _exists(self) -> bool:
        return self._current().is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
