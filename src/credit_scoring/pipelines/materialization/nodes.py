"""Nodes of the materialization pipeline."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from pydantic import AwareDatetime, BaseModel, ConfigDict

from credit_scoring.contract.model import Contract, Role
from credit_scoring.feature_store.materialization import HistoryBatch
from credit_scoring.features.definition import load_feature_set
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)


class MaterializationParameters(BaseModel):
    """Which histories are written.

    Attributes:
        as_of: Time that they are of, with its zone; None is the time of the run.
            A history in the store that was written later is left as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: AwareDatetime | None = None


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


def select_histories(
    applications: ApplicationBatches,
    contract: Contract,
    feature_engineering: FeatureEngineeringParameters,
    parameters: MaterializationParameters,
) -> SelectedHistories:
    """Select what the store takes of the accepted rows: loan id and history.

    Args:
        applications: Typed rows, contract names.
        contract: The contract that the rows fulfil.
        feature_engineering: Names the feature set, whose version is part of
            every key.
        parameters: Time that the histories are of.
    """
    features = load_feature_set(feature_engineering.feature_set)
    return SelectedHistories(
        contract=contract,
        feature_version=features.version(contract.digest),
        as_of=parameters.as_of,
        applications=applications,
    )


def summarise_materialization(
    stored_histories: Mapping[str, Any], contract: Contract
) -> dict[str, Any]:
    """Report what the store holds now, and under which contract.

    Args:
        stored_histories: What the store says of the last materialization.
        contract: The contract that the rows fulfil.
    """
    return {
        "contract": contract.name,
        "contract_digest": contract.digest,
        "columns": list(contract.names(Role.HISTORY)),
        **stored_histories,
    }
