"""What monitoring keeps and publishes: whole files in the folder the service reads."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from credit_scoring.monitoring.publication import (
    REPORTS,
    SUMMARY,
    Summary,
    UnreadableSummaryError,
    read_summary,
    write_summary,
    write_whole,
)

Json = dict[str, Any]

_WINDOWS = "windows"
_INDEX = "log_index.json"
_NEEDED = {"computed", "verdict", "segments", "figures", "findings", "until"}


class _MonitoringFolder:
    """The folder; the variable of the service's setting goes before the path."""

    def __init__(self, filepath: str, variable: str) -> None:
        self._filepath = filepath
        self._variable = variable

    @property
    def path(self) -> Path:
        return Path(os.environ.get(self._variable) or self._filepath)


class WindowRecordsDataset(AbstractDataset[Json, dict[str, Json]]):
    """A record of each monitored window, and the reports of the newest.

    Saves one window at a time, its report first, each file as a whole: a run that is
    killed leaves every window done or not done. A record that cannot be read is not
    done.
    """

    def __init__(
        self,
        *,
        filepath: str,
        variable: str,
        keep_reports: int = 30,
        metadata: Json | None = None,
    ) -> None:
        """Point at a folder; nothing is opened, and no variable is read.

        Args:
            filepath: Used if the variable is not set.
            variable: Environment variable that names the folder.
            keep_reports: Older reports are removed; records stay.
            metadata: For Kedro-Viz and other plugins.
        """
        self._folder = _MonitoringFolder(filepath, variable)
        self._keep = keep_reports
        self.metadata = metadata

    def load(self) -> dict[str, Json]:
        """Read all records by the name of their window."""
        found: dict[str, Json] = {}
        for path in sorted((self._folder.path / _WINDOWS).glob("*.json")):
            try:
                record = json.loads(path.read_bytes())
            except ValueError:
                continue
            if isinstance(record, dict) and record.keys() >= _NEEDED:
                found[path.stem] = record
        return found

    def save(self, data: Json) -> None:
        """Keep a window.

        Args:
            data: ``record``, and ``html``, the report, or None.
        """
        record, html = data["record"], data["html"]
        folder = self._folder.path
        if html is not None:
            write_whole(folder / REPORTS / record["report"], html)
        content = json.dumps(record, indent=1, allow_nan=False).encode()
        write_whole(folder / _WINDOWS / f"{record['window']}.json", content)
        reports = sorted((folder / REPORTS).glob("[0-9]*.html"))
        for old in reports[: -self._keep]:
            old.unlink(missing_ok=True)

    def _exists(self) -> bool:
        return True

    def _describe(self) -> Json:
        return {"filepath": str(self._folder.path)}


class LogIndexDataset(AbstractDataset[Json, Json]):
    """What segments of the decision log hold, as it was read last."""

    def __init__(
        self, *, filepath: str, variable: str, metadata: Json | None = None
    ) -> None:
        """Point at a folder; nothing is opened, and no variable is read.

        Args:
            filepath: Used if the variable is not set.
            variable: Environment variable that names the folder.
            metadata: For Kedro-Viz and other plugins.
        """
        self._folder = _MonitoringFolder(filepath, variable)
        self.metadata = metadata

    def load(self) -> Json:
        """Read it; empty if there is none, or it cannot be read."""
        try:
            found = json.loads((self._folder.path / _INDEX).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def save(self, data: Json) -> None:
        """Keep it as a whole."""
        write_whole(self._folder.path / _INDEX, json.dumps(data).encode())

    def _exists(self) -> bool:
        return True

    def _describe(self) -> Json:
        return {"filepath": str(self._folder.path)}


class SummaryDataset(AbstractDataset[Summary, Summary | None]):
    """The published summary; None where there is none that can be read."""

    def __init__(
        self, *, filepath: str, variable: str, metadata: Json | None = None
    ) -> None:
        """Point at a folder; nothing is opened, and no variable is read.

        Args:
            filepath: Used if the variable is not set.
            variable: Environment variable that names the folder.
            metadata: For Kedro-Viz and other plugins.
        """
        self._folder = _MonitoringFolder(filepath, variable)
        self.metadata = metadata

    def load(self) -> Summary | None:
        """Read it."""
        try:
            return read_summary(self._folder.path)
        except UnreadableSummaryError:
            return None

    def save(self, data: Summary) -> None:
        """Publish it as a whole."""
        write_summary(self._folder.path, data)

    def _exists(self) -> bool:
        return True

    def _describe(self) -> Json:
        return {"filepath": str(self._folder.path / SUMMARY)}


class OptionalTableDataset(AbstractDataset[None, pd.DataFrame | None]):
    """A Parquet file that another pipeline may have made, or not; read only."""

    def __init__(
        self,
        *,
        filepath: str,
        columns: str | None = None,
        metadata: Json | None = None,
    ) -> None:
        """Read from a file.

        Args:
            filepath: Where it may be.
            columns: Pattern of the columns that are read; None for all.
            metadata: For Kedro-Viz and other plugins.
        """
        self._filepath = Path(filepath)
        self._columns = columns
        self.metadata = metadata

    def load(self) -> pd.DataFrame | None:
        """Read the table; None if there is no file."""
        if not self._filepath.is_file():
            return None
        if self._columns is None:
            return pd.read_parquet(self._filepath)
        import pyarrow.parquet as pq

        names = pq.read_schema(self._filepath).names
        wanted = [name for name in names if re.fullmatch(self._columns, name)]
        return pd.read_parquet(self._filepath, columns=wanted)

    def save(self, data: None) -> None:
        """Refuse: another dataset writes the file.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._filepath.name} is only read here")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> Json:
        return {"filepath": str(self._filepath)}
