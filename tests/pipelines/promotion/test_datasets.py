from pathlib import Path

import pytest
from kedro.io import DatasetError

from credit_scoring.pipelines.promotion.datasets import ArtifactDataset, FolderDataset


def test_an_artifact_that_was_not_written_is_said_to_be(tmp_path: Path) -> None:
    dataset = ArtifactDataset(filepath=str(tmp_path / "none"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="there is no such artifact"):
        dataset.load()
    assert "none" in str(dataset)


def test_a_folder_is_its_path_and_read_only(tmp_path: Path) -> None:
    dataset = FolderDataset(filepath=str(tmp_path))
    assert dataset.exists()
    assert dataset.load() == tmp_path
    with pytest.raises(DatasetError, match="read only"):
        dataset.save("x")  # type: ignore[arg-type]
    assert str(tmp_path) in str(dataset)
