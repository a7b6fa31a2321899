import gzip
import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError

from credit_scoring.datasets import large_applications
from credit_scoring.datasets.applications import ApplicationsFileDataset
from credit_scoring.datasets.large_applications import (
    SampledApplicationsDataset,
    read_frames,
)
from credit_scoring.errors import BatchError, ContractError

from ..production.servers import BUCKET

SHIPPED = Path(__file__).parents[2] / "data/01_raw/taiwan_credit.csv.gz"


def sampled(path: Path | str, rows: int, **changes: Any) -> SampledApplicationsDataset:
    return SampledApplicationsDataset(
        **{"filepath": str(path), "id_column": "ID", "rows": rows, "salt": "a"}
        | changes
    )


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    """The shipped file, as a catalog that takes all of it has it."""
    return ApplicationsFileDataset(filepath=str(SHIPPED)).load()


def test_a_file_that_fits_is_taken_as_a_whole(shipped: pd.DataFrame) -> None:
    found = sampled(SHIPPED, 30_000).load()
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True), shipped.reset_index(drop=True)
    )
    assert found.attrs == {**shipped.attrs, "rows_in_files": 30_000}


@pytest.mark.parametrize("chunk_rows", [700, 131_072])
def test_a_sample_is_the_same_however_it_is_read(
    shipped: pd.DataFrame, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_applications, "CHUNK_ROWS", chunk_rows)
    found = sampled(SHIPPED, 1_000).load()
    assert len(found) == 1_000
    assert hashlib.sha256(",".join(found["ID"]).encode()).hexdigest()[:8] == "fbace221"
    assert found.index.is_monotonic_increasing
    rows = shipped.iloc[found.index - 1]
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True), rows.reset_index(drop=True)
    )
    # Uniform: 22 of 100 accounts are bad.
    assert (found["DEFAULT"] == "1").mean() == pytest.approx(0.22, abs=0.04)


def test_another_salt_is_another_sample() -> None:
    one, other = (set(sampled(SHIPPED, 3_000, salt=salt).load()["ID"]) for salt in "ab")
    assert 200 < len(one & other) < 400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of typed columns in partitions; one id stands in both."""
    for region, ids in (("north", ["a", "b"]), ("south", ["b", "c"])):
        table = pa.table(
            {
                "ID": pa.array(ids).dictionary_encode(),
                "amount": [1e20, None],
                "count": pa.array([7, 20_000], pa.int32()),
                "opened": pa.array([date(2024, 2, 29), None]),
                "seen": pa.array([0, 86_400_000_000], pa.timestamp("us")),
            }
        )
        path = tmp_path / "all" / f"region={region}" / "part.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table, path)
    return tmp_path / "all"


def test_typed_columns_are_given_as_text(folder: Path) -> None:
    (frame, _) = read_frames(str(folder), title="test")
    assert frame.fillna("-").to_dict(orient="list") == {
        "ID": ["a", "b"],
        "amount": ["1e+20", "-"],
        "count": ["7", "20000"],
        "opened": ["2024-02-29", "-"],
        "seen": ["1970-01-01", "1970-01-02"],
        "region": ["north", "north"],
    }


def test_rows_of_one_id_are_taken_together(folder: Path) -> None:
    found = sampled(folder, 4).load()
    assert list(found.index) == [1, 2, 3, 4]
    assert list(found["ID"]) == ["a", "b", "b", "c"]
    for rows in (1, 2, 3):
        ids = list(sampled(folder, rows).load()["ID"])
        assert ids.count("b") in (0, 2)
        assert len(ids) <= rows


def test_a_folder_has_the_digest_of_all_its_files(folder: Path) -> None:
    before = sampled(folder, 4).load().attrs["sha256"]
    assert sampled(folder, 1).load().attrs["sha256"] == before
    (folder / "region=south" / "part.parquet").rename(folder / "other.parquet")
    assert before != sampled(folder / "other.parquet", 4).load().attrs["sha256"]


def test_what_is_added_takes_the_places_of_few(
    shipped: pd.DataFrame, tmp_path: Path
) -> None:
    part = tmp_path / "part.csv.gz"
    with gzip.open(SHIPPED) as whole, gzip.open(part, "wb") as first:
        first.writelines(line for line, _ in zip(whole, range(20_001), strict=False))
    before = sampled(part, 2_000).load()
    after = sampled(SHIPPED, 2_000).load()
    stayed = set(after["ID"]) & set(before["ID"])
    # Who stays was among those whose places are the lowest.
    assert set(after["ID"]) - stayed <= set(shipped["ID"][20_000:])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ID,x\n1,2\n3\n", r"row 2 has 1 cell\(s\); expected 2"),
        ("ID,x\n1,2\n3\n4\n", r"row 2 has 1 .* so do 1 more rows"),
        ("x,y\n1,2\n", "there is no column ID; expected the one of the loan ids"),
        ("ID,ID\n1,2\n", r"names 1 column\(s\) more than once: ID"),
        ("ID,x\n", "there are no rows"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "some.csv"
    path.write_text(content)
    with pytest.raises(DatasetError, match=said) as caught:
        sampled(path, 10).load()
    assert isinstance(caught.value.__cause__, ContractError)


def test_files_of_one_folder_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ID,x\n1,2\n")
    (tmp_path / "b.csv").write_text("ID,y\n1,2\n")
    with pytest.raises(DatasetError, match=r"a.csv and b.csv differ in 2 .* x, y"):
        sampled(tmp_path, 10).load()


def test_a_column_of_another_kind_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"ID": ["a"], "x": [[1]]}), tmp_path / "a.parquet")
    with pytest.raises(DatasetError, match="column x is of type list"):
        sampled(tmp_path, 10).load()


def test_files_that_are_not_there_are_said(tmp_path: Path) -> None:
    dataset = sampled(tmp_path / "none", 10)
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="no such file or folder") as caught:
        dataset.load()
    assert isinstance(caught.value.__cause__, BatchError)
    assert sampled(SHIPPED, 10).exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.parquet", "no Parquet file, or one that is cut off or corrupt"),
        ("a.txt", "neither Parquet nor CSV"),
    ],
)
def test_what_cannot_be_read_is_there_and_said_so(
    tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / name).write_text("nothing of the kind")
    dataset = sampled(tmp_path, 10)
    assert dataset.exists()
    with pytest.raises(DatasetError, match=said):
        dataset.load()


def test_a_store_that_does_not_answer_is_not_said_to_be_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # Refused at once: nobody listens there.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    dataset = sampled("s3://nobody/there", 10)
    assert dataset.exists()
    with pytest.raises(DatasetError, match="s3://nobody/there: cannot be read"):
        dataset.load()


def test_files_in_s3_are_those_on_the_disk(bucket: Any) -> None:
    bucket.upload_file(str(SHIPPED), BUCKET, "raw/accounts.csv.gz")
    there = sampled(f"s3://{BUCKET}/raw", 1_000)
    assert there.exists()
    assert not sampled(f"s3://{BUCKET}/other", 1_000).exists()
    found, here = there.load(), sampled(SHIPPED, 1_000).load()
    pd.testing.assert_frame_equal(found, here)
    assert found.attrs == here.attrs
    assert found.attrs["rows_in_files"] == 30_000


def test_raw_applications_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="read only"):
        sampled(tmp_path, 10).save(pd.DataFrame())


def test_at_least_one_row_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="0 rows asked for; expected 1 or more"):
        sampled(tmp_path, 0)
