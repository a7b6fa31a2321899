"""Accepted rows read in parts, and the store that takes their histories."""

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Never

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path

from credit_scoring.datasets.progress import row_progress
from credit_scoring.environment import read_settings, variable
from credit_scoring.errors import FeatureStoreError
from credit_scoring.feature_store.encoding import HistoryEncoding
from credit_scoring.feature_store.keys import Keys
from credit_scoring.feature_store.materialization import Materializer, read_marker
from credit_scoring.feature_store.selection import SelectedHistories
from credit_scoring.feature_store.settings import HistorySettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ParquetBatches:
    """Rows of a Parquet file; each reading opens it anew.

    Attributes:
        filesystem: Of fsspec.
        path: On that filesystem.
        batch_rows: Most rows that are read at a time.
    """

    filesystem: Any
    path: str
    batch_rows: int

    @property
    def rows(self) -> int:
        """Number of rows in all."""
        with self.filesystem.open(self.path) as file:
            rows: int = pq.read_metadata(file).num_rows
        return rows

    def read(self, columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """Read columns, from the first row to the last."""
        with self.filesystem.open(self.path) as file:
            # Neither ahead nor beside: what is read stays small.
            parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)
            yield from parquet.iter_batches(
                self.batch_rows, columns=list(columns), use_threads=False
            )


class ParquetBatchesDataset(AbstractDataset[Never, ParquetBatches]):
    """A Parquet file of rows, read a part at a time; read only."""

    def __init__(
        self,
        *,
        filepath: str,
        batch_rows: int = 10_000,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Point at a file; nothing is opened.

        Args:
            filepath: Path or URL, e.g. ``data/x.parquet``, ``s3://...``.
            batch_rows: Most rows that are read at a time.
            credentials: What the filesystem asks for.
            fs_args: Further arguments of the filesystem.
            metadata: For Kedro-Viz and other plugins.
        """
        self._protocol, path = get_protocol_and_path(filepath)
        self._filepath = PurePosixPath(path)
        self._batch_rows = batch_rows
        self._storage_options = {**(credentials or {}), **(fs_args or {})}
        self.metadata = metadata

    def load(self) -> ParquetBatches:
        """Give the rows; they are read when they are asked for.

        Raises:
            DatasetError: If there is no such file.
        """
        filesystem = self._filesystem()
        path = str(self._filepath)
        if not filesystem.exists(path):
            raise DatasetError(f"{path}: there is no such file; `kedro run` makes it")
        return ParquetBatches(filesystem, path, self._batch_rows)

    def save(self, data: Never) -> None:
        """Refuse: another dataset writes the file.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._filepath}: is only read in parts")

    def _exists(self) -> bool:
        return bool(self._filesystem().exists(str(self._filepath)))

    def _filesystem(self) -> Any:
        return fsspec.filesystem(self._protocol, **self._storage_options)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "batch_rows": self._batch_rows}


class HistoryStoreDataset(AbstractDataset[SelectedHistories, dict[str, Any]]):
    """The feature store that the environment names, as the service does.

    Saving writes histories, with progress, and then the marker ``current``;
    loading reads the marker.
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        """Point at the store; nothing is opened, and no variable is read.

        Args:
            metadata: For Kedro-Viz and other plugins.
        """
        self.metadata = metadata

    def save(self, data: SelectedHistories) -> None:
        """Write histories.

        Raises:
            FeatureStoreError: If no store is named, it fails, or the histories
                are of a time to come.
            SettingsError: If a setting of the store is not allowed.
            ContractError: If a value is not one that the contract allows.
        """
        settings = _settings()
        as_of = data.as_of or datetime.now(UTC)
        if as_of > datetime.now(UTC):
            raise FeatureStoreError(
                "params:materialization.as_of is in the future: histories written "
                "until then would not be kept"
            )
        materializer = Materializer(
            _url(settings),
            keys=Keys(settings.redis_namespace, data.feature_version),
            encoding=HistoryEncoding(data.contract, data.feature_version),
            seconds_to_live=settings.seconds_to_live,
        )
        with row_progress("Writing histories", data.rows) as progress:
            done = materializer.write(data.batches(), as_of=as_of, progress=progress)
        logger.info(
            "Wrote %d histories in %.1f s, %d a second; %d newer ones were kept",
            done.rows - done.kept_newer,
            done.seconds,
            done.rows_per_second,
            done.kept_newer,
        )

    def load(self) -> dict[str, Any]:
        """Read what the last complete materialization wrote.

        Raises:
            FeatureStoreError: If no store is named, or it does not answer.
            DatasetError: If there was none.
        """
        settings = _settings()
        found = read_marker(_url(settings), settings.redis_namespace)
        if found is None:
            raise DatasetError("nothing was materialized into the feature store yet")
        return found

    def _describe(self) -> dict[str, Any]:
        # Without the address, which may hold a password.
        return {"store": variable("redis_url")}


def _settings() -> HistorySettings:
    return read_settings(HistorySettings, os.environ)


def _url(settings: HistorySettings) -> str:
    if settings.redis_url is None:
        raise FeatureStoreError(
            f"{variable('redis_url')} names no Redis server; `make serve` starts one "
            "on this machine and says its address"
        )
    return settings.redis_url.get_secret_value()
