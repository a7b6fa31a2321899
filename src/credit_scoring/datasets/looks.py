"""The history of looks at a challenge: one JSON file that only grows."""

import json
import os
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

Looks = list[dict[str, Any]]


class LooksDataset(AbstractDataset[Looks, Looks]):
    """A JSON array of looks, the oldest first; empty where there is no file.

    It is replaced as a whole, so that a run that is killed leaves the history as it
    was or as it is to be.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Keep the history in a file.

        Args:
            filepath: Made with the first look.
            metadata: For Kedro-Viz.
        """
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Looks:
        """Read all looks.

        Raises:
            DatasetError: If the file is no such history; looks that are forgotten
                could be taken again.
        """
        if not self._filepath.is_file():
            return []
        try:
            found = json.loads(self._filepath.read_bytes())
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise DatasetError(f"{self._filepath.name} is not a JSON array of looks")
        return found

    def save(self, data: Looks) -> None:
        """Replace the file.

        Raises:
            DatasetError: If looks that are in it would be lost.
        """
        if data[: len(self.load())] != self.load():
            raise DatasetError(f"{self._filepath.name}: looks may only be added")
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        new = self._filepath.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(data, file, indent=2, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._filepath)

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
