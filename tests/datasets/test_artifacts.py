from pathlib import Path

import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.artifacts import ArtifactDataset


def test_an_artifact_that_was_not_written_is_said_to_be(tmp_path: Path) -> None:
    dataset = ArtifactDataset(filepath=str(tmp_path / "none"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="there is no such artifact"):
        dataset.load()
    assert "none" in str(dataset)


def test_the_preview_is_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"family": "boosting"}')
    preview = ArtifactDataset(filepath=str(tmp_path)).preview()
    assert preview == '{"family": "boosting"}'
