from pathlib import Path

import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.applications import ApplicationsFileDataset
from credit_scoring.errors import ContractError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "with space"
    folder.mkdir()
    path = folder / "applications.csv"
    path.write_bytes(b"ID,A\n007,1\n8,\n")
    return path


def test_applications_file_is_loaded_as_text_with_its_digest(file: Path):
    dataset = ApplicationsFileDataset(filepath=str(file))
    frame = dataset.load()
    assert frame["ID"].tolist() == ["007", "8"]
    assert frame.index.name == "source_row"
    assert len(frame.attrs["sha256"]) == 64
    assert dataset.exists()


def test_applications_file_on_another_filesystem_is_loaded():
    import fsspec

    fsspec.filesystem("memory").pipe_file("/a.csv", b"ID\n1\n")
    dataset = ApplicationsFileDataset(filepath="memory:///a.csv")
    assert dataset.load()["ID"].tolist() == ["1"]


def test_missing_applications_file_is_named(tmp_path: Path):
    dataset = ApplicationsFileDataset(filepath=str(tmp_path / "none.csv"))
    assert not dataset.exists()
    with pytest.raises(
        DatasetError, match=r"none\.csv: there is no such file"
    ) as error:
        dataset.load()
    assert isinstance(error.value.__cause__, ContractError)


def test_folder_in_place_of_an_applications_file_is_refused(tmp_path: Path):
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        ApplicationsFileDataset(filepath=str(tmp_path)).load()


def test_applications_file_is_never_written(file: Path):
    with pytest.raises(DatasetError, match="read only"):
        ApplicationsFileDataset(filepath=str(file)).save("anything")


def test_preview_shows_the_first_rows(file: Path):
    preview = ApplicationsFileDataset(filepath=str(file)).preview(nrows=2)
    assert preview == {
        "index": [2, 3],
        "columns": ["ID", "A"],
        "data": [["007", "1"], ["8", ""]],
    }
