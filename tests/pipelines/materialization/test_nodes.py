"""What is selected for the store, and what is reported."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError

from credit_scoring.contract.model import Contract, Role
from credit_scoring.features.definition import load_feature_set
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)
from credit_scoring.pipelines.materialization.nodes import (
    MaterializationParameters,
    select_histories,
    summarise_materialization,
)

FEATURES = FeatureEngineeringParameters.model_validate(
    {
        "feature_set": "taiwan_default",
        "split": {
            "salt": "s",
            "shares": {
                "train": 0.4,
                "validation": 0.1,
                "calibration": 0.2,
                "test": 0.3,
            },
        },
    }
)


class Frame:
    """A frame, read in parts of two rows."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.rows = len(frame)

    def read(self, columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
        table = pa.Table.from_pandas(self.frame[list(columns)], preserve_index=False)
        yield from table.to_batches(max_chunksize=2)


@pytest.fixture
def frame(contract: Contract) -> pd.DataFrame:
    names = contract.names(Role.HISTORY)
    numbers = np.arange(5 * len(names), dtype=np.float64).reshape(5, -1)
    numbers[4, 17] = np.nan
    made = pd.DataFrame(numbers, columns=list(names))
    made.insert(0, "loan_id", [f"L-{row}" for row in range(5)])
    return made[["bill_amount_1", *(c for c in made if c != "bill_amount_1")]]


def test_loans_and_their_history_are_selected_in_contract_order(
    contract: Contract, frame: pd.DataFrame
) -> None:
    selected = select_histories(
        Frame(frame), contract, FEATURES, MaterializationParameters()
    )
    assert (selected.rows, selected.as_of) == (5, None)
    features = load_feature_set("taiwan_default")
    assert selected.feature_version == features.version(contract.digest)
    for _ in range(2):
        parts = list(selected.batches())
        assert [part.loan_ids for part in parts] == [
            ["L-0", "L-1"], ["L-2", "L-3"], ["L-4"],
        ]  # fmt: skip
        values = np.concatenate([part.values for part in parts])
        expected = frame[list(contract.names(Role.HISTORY))].to_numpy()
        assert np.array_equal(values, expected, equal_nan=True)


def test_a_time_must_have_its_zone() -> None:
    as_of = datetime(2026, 1, 1, tzinfo=UTC)
    assert MaterializationParameters(as_of=as_of).as_of == as_of
    with pytest.raises(ValidationError, match="timezone"):
        MaterializationParameters(as_of="2026-01-01T00:00:00")  # type: ignore[arg-type]


def test_the_summary_says_what_is_stored_under_which_contract(
    contract: Contract,
) -> None:
    summary = summarise_materialization({"rows": 3}, contract)
    assert summary["rows"] == 3
    assert summary["contract_digest"] == contract.digest
    assert len(summary["columns"]) == 18
