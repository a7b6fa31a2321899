from pathlib import Path

import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.optional import OptionalJsonDataset


def test_a_file_that_is_not_there_is_an_empty_object(tmp_path: Path) -> None:
    dataset = OptionalJsonDataset(filepath=str(tmp_path / "none.json"))
    assert dataset.exists()
    assert dataset.load() == {}


def test_a_file_that_is_there_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "some.json"
    path.parent.mkdir()
    path.write_text('{"a": 1}')
    assert OptionalJsonDataset(filepath=str(path)).load() == {"a": 1}


def test_it_is_only_read(tmp_path: Path) -> None:
    dataset = OptionalJsonDataset(filepath=str(tmp_path / "some.json"))
    with pytest.raises(DatasetError, match=r"some\.json is only read here"):
        dataset.save({})  # type: ignore[arg-type]
