"""The decision log in the catalog."""

import os
from pathlib import Path
from typing import Any, Never

from kedro.io import AbstractDataset, DatasetError


class LogFolderDataset(AbstractDataset[Never, Path]):
    """Folder of a log that the service writes; read only, a part at a time.

    The variable of the service's own setting goes before the catalog's path, so
    that pipelines read what the service of the same environment writes.
    """

    def __init__(
        self,
        *,
        filepath: str,
        variable: str,
        may_be_absent: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Point at a folder; nothing is opened, and no variable is read.

        Args:
            filepath: Used if the variable is not set.
            variable: Environment variable that names the folder.
            may_be_absent: A folder that is not there is a log of nothing.
            metadata: For Kedro-Viz and other plugins.
        """
        self._filepath = filepath
        self._variable = variable
        self._may_be_absent = may_be_absent
        self.metadata = metadata

    def load(self) -> Path:
        """Give the folder.

        Raises:
            DatasetError: If there is none.
        """
        folder = self._folder()
        if not folder.is_dir() and not self._may_be_absent:
            raise DatasetError(f"{folder}: there is no such folder")
        return folder

    def save(self, data: Never) -> None:
        """Refuse: the service writes it.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._folder()}: a log of the service is only read")

    def _folder(self) -> Path:
        return Path(os.environ.get(self._variable) or self._filepath)

    def _exists(self) -> bool:
        return self._may_be_absent or self._folder().is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder()), "variable": self._variable}
