"""A JSON file that another pipeline may have made, or not."""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from credit_scoring.errors import RunError


class OptionalJsonDataset(AbstractDataset[None, dict[str, Any]]):
    """Reads a JSON object; an empty one where there is no file.

    It counts as there in any case, so that a run which would like to show it does
    not have to wait for the pipeline that makes it.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Read from a file.

        Args:
            filepath: Where it may be.
            metadata: For Kedro-Viz.
        """
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Read the object; empty if there is no file."""
        if not self._filepath.is_file():
            return {}
        found: dict[str, Any] = json.loads(self._filepath.read_bytes())
        return found

    def save(self, data: None) -> None:
        """Refuse: another dataset writes the file.

        Raises:
            RunError: Always.
        """
        raise RunError(f"{self._filepath.name} is only read here")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
