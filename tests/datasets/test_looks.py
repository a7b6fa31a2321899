from pathlib import Path

import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.looks import LooksDataset


def test_looks_are_kept_and_only_added(tmp_path: Path) -> None:
    kept = LooksDataset(filepath=str(tmp_path / "made" / "looks.json"))
    assert kept.exists()
    assert kept.load() == []
    kept.save([{"data": "1"}])
    kept.save([{"data": "1"}, {"data": "2"}])
    assert kept.load() == [{"data": "1"}, {"data": "2"}]
    with pytest.raises(DatasetError, match="looks may only be added"):
        kept.save([{"data": "2"}])
    assert len(kept.load()) == 2
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["looks.json"]


@pytest.mark.parametrize("text", ["{", "{}"])
def test_a_history_that_cannot_be_read_is_not_begun_anew(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "looks.json"
    path.write_text(text)
    kept = LooksDataset(filepath=str(path))
    with pytest.raises(DatasetError, match=r"looks\.json is not a JSON array"):
        kept.load()
