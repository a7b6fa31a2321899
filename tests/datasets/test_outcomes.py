from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.outcomes import OutcomeFilesDataset


def test_files_are_read_as_text_with_their_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "loan_id,bad,observed_at\n007,1,2026-01-01\nL-2,,2026-01-02\n"
    )
    pd.DataFrame(
        {
            "loan_id": ["L-3", None],
            "bad": [1.0, None],
            "observed_at": ["2026-01-03"] * 2,
        }
    ).to_parquet(tmp_path / "b.parquet")
    (tmp_path / "notes.txt").write_text("not read")
    table = OutcomeFilesDataset(filepath=str(tmp_path)).load()
    assert table["loan_id"].tolist() == ["007", "L-2", "L-3", ""]
    assert table["bad"].tolist() == ["1", "", "1", ""]
    assert table["source_file"].tolist() == ["a.csv"] * 2 + ["b.parquet"] * 2
    assert table["source_row"].tolist() == [1, 2, 1, 2]


def test_a_folder_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    dataset = OutcomeFilesDataset(filepath=str(tmp_path / "nowhere"))
    assert dataset.exists()
    assert dataset.load().empty


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.parquet", b"no"), ("x.csv", b""), ("x.csv", b"source_row\n1\n")],
)
def test_a_file_that_is_no_table_is_named(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=rf"{name}: (cannot|has)"):
        OutcomeFilesDataset(filepath=str(tmp_path)).load()


def test_outcomes_are_only_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="read only"):
        OutcomeFilesDataset(filepath=str(tmp_path)).save(pd.DataFrame())  # type: ignore[arg-type]
