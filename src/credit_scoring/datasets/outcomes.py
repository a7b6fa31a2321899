"""Files of outcomes in the catalog."""

from pathlib import Path
from typing import Any, Never

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from credit_scoring.errors import OutcomeError

_COLUMNS = ["source_file", "source_row"]


class OutcomeFilesDataset(AbstractDataset[Never, pd.DataFrame]):
    """A folder of CSV and Parquet files of outcomes; read only.

    Loads as one table of text, each row with ``source_file`` and ``source_row``,
    counted from 1; a folder that is not there, or empty, as no rows.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Point at a folder; nothing is opened.

        Args:
            filepath: The folder.
            metadata: For Kedro-Viz and other plugins.
        """
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read all files in the order of their names.

        Raises:
            OutcomeError: If one cannot be read.
        """
        found = [
            _numbered(path)
            for path in sorted(self._folder.glob("*"))
            if path.suffix in {".csv", ".parquet"}
        ]
        none = pd.DataFrame(columns=_COLUMNS)
        return pd.concat([none, *found], ignore_index=True).fillna("")

    def save(self, data: Never) -> None:
        """Refuse: outcomes are delivered.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._folder}: outcomes are read only")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}


def _numbered(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".csv":
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
        else:
            table = pd.read_parquet(path)
            table = table.astype(object).where(table.notna(), "").map(_text)
    except (OSError, ValueError) as error:
        raise OutcomeError(
            f"{path.name}: cannot be read as a table ({type(error).__name__})"
        ) from None
    if set(_COLUMNS) & set(table.columns):
        raise OutcomeError(f"{path.name}: has a column {' or '.join(_COLUMNS)}")
    table["source_file"] = path.name
    table["source_row"] = range(1, len(table) + 1)
    return table


def _text(value: Any) -> str:
    """Write a cell as a CSV would have it; a whole number without its point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
