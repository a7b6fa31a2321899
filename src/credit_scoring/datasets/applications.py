"""Files of raw applications in the catalog."""

from pathlib import PurePosixPath
from typing import Any, Never

import fsspec
import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path
from kedro_datasets._typing import TablePreview

from credit_scoring.contract.reading import table_from_bytes
from credit_scoring.errors import ContractError


class ApplicationsFileDataset(AbstractDataset[Never, pd.DataFrame]):
    """A CSV file of applications, plain or gzip, on any filesystem; read only.

    Loads as `credit_scoring.contract.reading.read_applications`: every cell a
    string, ``attrs["sha256"]`` the digest of the file.
    """

    def __init__(  # noqa: PLR0913 - what a catalog entry may say
        self,
        *,
        filepath: str,
        delimiter: str = ",",
        encoding: str = "utf-8",
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Point at a file; nothing is opened.

        Args:
            filepath: Path or URL, e.g. ``data/01_raw/x.csv.gz``, ``s3://...``.
            delimiter: Between cells.
            encoding: Of the text, as Python names it, e.g. ``cp1252``.
            credentials: What the filesystem asks for.
            fs_args: Further arguments of the filesystem.
            metadata: For Kedro-Viz and other plugins.
        """
        self._protocol, path = get_protocol_and_path(filepath)
        self._filepath = PurePosixPath(path)
        self._form = {"delimiter": delimiter, "encoding": encoding}
        self._storage_options = {**(credentials or {}), **(fs_args or {})}
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the file.

        Raises:
            ContractError: If it is not a readable table; the message says where.
        """
        name = str(self._filepath)
        try:
            content = self._filesystem().cat_file(name)
        except FileNotFoundError as error:
            raise ContractError(f"{name}: there is no such file") from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ContractError(f"{name}: cannot be read: {reason}") from error
        return table_from_bytes(content, name=name, **self._form)

    def save(self, data: Never) -> None:
        """Refuse: raw data is never written.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._filepath}: raw applications are read only")

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the first rows in Kedro-Viz."""
        head = self.load().head(nrows)
        return TablePreview(head.fillna("").to_dict(orient="split"))

    def _filesystem(self) -> Any:
        return fsspec.filesystem(self._protocol, **self._storage_options)

    def _exists(self) -> bool:
        return bool(self._filesystem().exists(str(self._filepath)))

    def _describe(self) -> dict[str, Any]:
        return {
            "filepath": str(self._filepath),
            "protocol": self._protocol,
            **self._form,
        }
