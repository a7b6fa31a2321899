import gzip
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from credit_scoring.boosting.external_memory import StoredRows, stored_rows
from credit_scoring.contract.model import Contract
from credit_scoring.contract.rows import check_rows
from credit_scoring.datasets import large_applications
from credit_scoring.datasets.applications import ApplicationsFileDataset
from credit_scoring.datasets.large_applications import digest_of
from credit_scoring.errors import ContractError, TrainingError
from credit_scoring.pipelines.feature_engineering.nodes import (
    assign_splits,
    compute_features,
)
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)
from credit_scoring.pipelines.ingestion.nodes import (
    IngestionParameters,
    ingest_applications,
)
from credit_scoring.pipelines.training.storing import TrainingFiles

PROJECT = Path(__file__).parents[3]
SHIPPED = PROJECT / "data/01_raw/taiwan_credit.csv.gz"
ROWS = 5_000


def parameters_of(name: str) -> Any:
    path = PROJECT / f"conf/base/parameters_{name}.yml"
    return yaml.safe_load(path.read_text())[name]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.model_validate(parameters_of("contract"))


@pytest.fixture(scope="module")
def engineering() -> FeatureEngineeringParameters:
    return FeatureEngineeringParameters.model_validate(
        parameters_of("feature_engineering")
    )


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Header and rows of the shipped file."""
    with gzip.open(SHIPPED, "rt", encoding="utf-8-sig", newline="") as file:
        return list(itertools.islice(file, ROWS + 1))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_applications, "CHUNK_ROWS", 900)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[StoredRows]:
    with stored_rows(tmp_path / "rows") as found:
        yield found


@pytest.fixture
def wanted(contract: Contract, engineering: FeatureEngineeringParameters) -> Any:
    """Training rows of a file, as the pipelines make them in memory."""

    def call(path: Path) -> pd.DataFrame:
        raw = ApplicationsFileDataset(filepath=str(path)).load()
        ingested = ingest_applications(raw, contract, IngestionParameters())
        accepted = check_rows(ingested["applications"], contract).accepted
        features = compute_features(accepted, contract, engineering)
        splits = assign_splits(accepted, contract, engineering)
        train = (splits["split"] == "train").to_numpy()
        return features.assign(bad=splits["bad"])[train]

    return call


def check_equal(rows: StoredRows, expected: pd.DataFrame) -> None:
    parts = list(rows.parts())
    x, bad = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    np.testing.assert_array_equal(bad, expected["bad"])
    features = expected.drop(columns=[expected.columns[0], "bad"])
    np.testing.assert_array_equal(x, features.to_numpy(np.float32))


@pytest.fixture
def store(rows: StoredRows, contract: Contract, engineering: Any) -> Any:
    def call(path: Path, digest: str | None = None) -> StoredRows:
        files = TrainingFiles(
            digest=digest or digest_of(str(path)),
            contract=contract,
            feature_engineering=engineering,
            maximum_rejected_share=0.02,
        )
        files.store(str(path), rows)
        return rows

    return call


def test_rows_are_those_of_the_pipelines(
    tmp_path: Path, lines: list[str], store: Any, wanted: Any
) -> None:
    path = tmp_path / "some.csv"
    broken = lines[7].split(",")
    broken[1] = "a lot"
    path.write_text("".join([*lines[:7], ",".join(broken), *lines[8:]]))
    check_equal(store(path), wanted(path))


def test_a_folder_under_the_contracts_names_is_one_table(
    tmp_path: Path, lines: list[str], store: Any, contract: Contract, wanted: Any
) -> None:
    whole, folder = tmp_path / "some.csv", tmp_path / "folder"
    whole.write_text("".join(lines))
    raw = pd.read_csv(whole, dtype={"ID": "str"})
    named = raw.rename(columns={c.source: n for n, c in contract.columns.items()})
    folder.mkdir()
    named[:2_000].to_parquet(folder / "a.parquet")
    named[2_000:].to_parquet(folder / "b.parquet")
    check_equal(store(folder), wanted(whole))


def test_of_an_id_in_several_rows_none_is_kept(
    tmp_path: Path,
    lines: list[str],
    store: Any,
    wanted: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    once, again = tmp_path / "once.csv", tmp_path / "again.csv"
    # Of the first chunk, once more in the last; 3 in the first with another cell.
    other = lines[3].replace(",", ",9", 1)
    again.write_text("".join([*lines[:4], other, *lines[4:], *lines[10:40]]))
    once.write_text("".join([lines[0], *lines[1:3], *lines[4:10], *lines[40:]]))
    check_equal(store(again), wanted(once))
    gone = len(wanted(again)) - len(wanted(once))
    assert 5 < gone < 20
    # In memory one of two equal rows is kept.
    assert f"of {ROWS + 31} rows are grown on; {2 * gone + 2} rejected" in caplog.text


def test_too_many_rejected_rows_are_refused(
    tmp_path: Path, lines: list[str], store: Any
) -> None:
    path = tmp_path / "some.csv"
    path.write_text(
        "".join([lines[0], *(line.replace(",", ",x", 1) for line in lines[1:])])
    )
    with pytest.raises(ContractError) as caught:
        store(path)
    said = str(caught.value)
    assert f"{ROWS} of {ROWS} rows (100.00%) break the contract; at most 2.00%" in said
    assert f"credit_limit is not a number: {ROWS}" in said


def test_a_file_without_a_column_is_refused(tmp_path: Path, store: Any) -> None:
    path = tmp_path / "some.csv"
    path.write_text("ID,LIMIT_BAL\n1,2\n")
    with pytest.raises(ContractError, match=r"23 column\(s\) missing"):
        store(path)


def test_files_without_a_training_row_are_refused(
    tmp_path: Path, lines: list[str], store: Any, wanted: Any
) -> None:
    path = tmp_path / "some.csv"
    path.write_text("".join(lines))
    train = set(wanted(path)["loan_id"])
    others = [line for line in lines[1:] if line.split(",")[0] not in train]
    path.write_text("".join([lines[0], *others]))
    with pytest.raises(TrainingError, match=r"none of .* rows is a training row"):
        store(path)


def test_files_that_were_not_ingested_are_refused(
    tmp_path: Path, lines: list[str], store: Any
) -> None:
    path = tmp_path / "some.csv"
    path.write_text("".join(lines))
    before = digest_of(str(path))
    path.write_text("".join(lines[:-1]))
    with pytest.raises(ContractError, match="is not what was ingested, or has changed"):
        store(path, before)
