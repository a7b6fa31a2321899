import json
from pathlib import Path

import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.releases import ReleaseDataset


def test_a_release_is_kept_by_its_bentos_version_and_as_the_current_one(
    tmp_path: Path,
) -> None:
    dataset = ReleaseDataset(filepath=str(tmp_path / "releases"))
    dataset.save({"bento": "credit_scoring:one"})
    dataset.save({"bento": "credit_scoring:two"})
    assert dataset.load() == {"bento": "credit_scoring:two"}
    assert json.loads(dataset.preview()) == dataset.load()
    assert {path.name for path in (tmp_path / "releases").iterdir()} == {
        "one.json",
        "two.json",
        "current.json",
    }
    first = json.loads((tmp_path / "releases" / "one.json").read_text())
    assert first == {"bento": "credit_scoring:one"}


def test_before_the_first_release_there_is_none(tmp_path: Path) -> None:
    dataset = ReleaseDataset(filepath=str(tmp_path))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="nothing was released yet"):
        dataset.load()
    assert str(tmp_path) in str(dataset)
