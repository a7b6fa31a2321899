"""Which histories of a file are stored; nothing is read before it is written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import pyarrow as pa

from credit_scoring.contract.model import Contract, Role
from credit_scoring.feature_store.materialization import HistoryBatch


class ApplicationBatches(Protocol):
    """Accepted rows that are read a part at a time."""

    @property
    def rows(self) -> int:
        """Number of rows in all."""

    def read(self, columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """Read columns, from the first row to the last."""


@dataclass(frozen=True)
class SelectedHistories:
    """Histories to be stored; nothing is read before they are asked for.

    Attributes:
        contract: Names the history columns.
        feature_version: Of the features computed from them.
        as_of: Time that they are of; None is the time of writing.
        applications: Where they are.
    """

    contract: Contract
    feature_version: str
    as_of: datetime | None
    applications: ApplicationBatches

    @property
    def rows(self) -> int:
        """Number of histories."""
        return self.applications.rows

    def batches(self) -> Iterator[HistoryBatch]:
        """Read the histories, a part at a time."""
        id_name, names = self.contract.id_name, self.contract.names(Role.HISTORY)
        for rows in self.applications.read([id_name, *names]):
            columns = [
                rows.column(name).to_numpy(zero_copy_only=False) for name in names
            ]
            yield HistoryBatch(
                loan_ids=rows.column(id_name).to_pylist(),
                values=np.stack(columns, axis=1).astype(np.float64, copy=False),
            )
