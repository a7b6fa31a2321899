from pathlib import Path

import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.folders import FolderDataset


def test_a_folder_is_its_path_and_read_only(tmp_path: Path) -> None:
    dataset = FolderDataset(filepath=str(tmp_path))
    assert dataset.exists()
    assert dataset.load() == tmp_path
    with pytest.raises(DatasetError, match="read only"):
        dataset.save("x")  # type: ignore[arg-type]
    assert str(tmp_path) in str(dataset)
