"""Rows read in parts, and the store that the environment names."""

import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from rich.console import Console

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.model import Contract, Role
from credit_scoring.datasets import progress
from credit_scoring.datasets.histories import (
    HistoryStoreDataset,
    ParquetBatches,
    ParquetBatchesDataset,
)
from credit_scoring.datasets.progress import row_progress
from credit_scoring.errors import FeatureStoreError, SettingsError
from credit_scoring.feature_store.selection import SelectedHistories
from credit_scoring.serving.local_redis import local_redis

URL = "CREDIT_SCORING_REDIS_URL"
VERSION = "0123456789abcdef"


@pytest.fixture
def contract() -> Contract:
    conf = Path(__file__).parents[2] / "conf" / "base"
    return contract_from_yaml(conf / "parameters_contract.yml")


@pytest.fixture
def file(contract: Contract, tmp_path: Path) -> Path:
    names = contract.names(Role.HISTORY)
    frame = pd.DataFrame(np.ones((2500, len(names))), columns=list(names))
    frame.insert(0, "loan_id", [f"L-{row}" for row in range(2500)])
    path = tmp_path / "a folder" / "rows.parquet"
    path.parent.mkdir()
    frame.to_parquet(path)
    return path


@pytest.fixture
def batches(file: Path) -> ParquetBatches:
    return ParquetBatchesDataset(filepath=str(file), batch_rows=1000).load()


def selected(
    contract: Contract, batches: ParquetBatches, as_of: datetime | None = None
) -> SelectedHistories:
    return SelectedHistories(contract, VERSION, as_of, batches)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[HistoryStoreDataset]:
    with local_redis() as url:
        monkeypatch.setenv(URL, url)
        yield HistoryStoreDataset()


def test_a_file_is_read_in_parts_again_and_again(batches: ParquetBatches) -> None:
    assert batches.rows == 2500
    for _ in range(2):
        parts = list(batches.read(["loan_id"]))
        assert [part.num_rows for part in parts] == [1000, 1000, 500]
        assert parts[2].column("loan_id")[499].as_py() == "L-2499"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    dataset = ParquetBatchesDataset(filepath=str(tmp_path / "none.parquet"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="no such file; `kedro run` makes it"):
        dataset.load()


def test_a_file_is_not_written_in_parts(file: Path) -> None:
    dataset: Any = ParquetBatchesDataset(filepath=str(file))
    assert dataset.exists()
    with pytest.raises(DatasetError, match="only read in parts"):
        dataset.save(1)


def test_what_was_stored_is_reported(
    store: HistoryStoreDataset, contract: Contract, batches: ParquetBatches
) -> None:
    with pytest.raises(DatasetError, match="nothing was materialized"):
        store.load()
    store.save(selected(contract, batches))
    found = store.load()
    assert (found["rows"], found["feature_version"]) == (2500, VERSION)
    age = datetime.now(UTC) - datetime.fromisoformat(found["as_of"])
    assert age < timedelta(minutes=1)


def test_histories_of_the_future_are_refused(
    store: HistoryStoreDataset, contract: Contract, batches: ParquetBatches
) -> None:
    future = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(DatasetError, match="as_of is in the future"):
        store.save(selected(contract, batches, future))


def test_without_a_named_store_it_says_what_to_do(
    contract: Contract, batches: ParquetBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(URL, raising=False)
    store = HistoryStoreDataset()
    with pytest.raises(DatasetError, match=f"{URL} names no Redis") as raised:
        store.save(selected(contract, batches))
    assert isinstance(raised.value.__cause__, FeatureStoreError)


def test_the_address_is_never_shown(
    contract: Contract, batches: ParquetBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, "redis://:secret@127.0.0.1:1/0")
    store = HistoryStoreDataset()
    assert "secret" not in str(store)
    with pytest.raises(DatasetError, match="connection") as raised:
        store.save(selected(contract, batches))
    assert "secret" not in str(raised.value)
    monkeypatch.setenv(URL, "secret")
    with pytest.raises(DatasetError, match=URL) as raised:
        store.load()
    assert isinstance(raised.value.__cause__, SettingsError)
    assert "secret" not in str(raised.value)


def test_a_terminal_shows_a_bar_with_its_speed() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=100)
    with row_progress("Writing", 100, console) as advance:
        advance(50)
        advance(50)
    assert "100/100" in output.getvalue()
    assert "rows/s" in output.getvalue()


def test_a_log_has_a_line_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    logger = logging.Logger("of this test")
    logger.addHandler(logging.StreamHandler(log))
    monkeypatch.setattr(progress, "logger", logger)
    times = iter([0.0, 1.0, 6.0, 7.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    with row_progress("Writing", 100, Console(file=io.StringIO())) as advance:
        for _ in range(3):
            advance(30)
    assert log.getvalue() == "Writing: 60 of 100 rows, 10 rows/s, 4 s left\n"
