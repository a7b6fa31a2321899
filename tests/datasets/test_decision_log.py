from pathlib import Path

import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.decision_log import LogFolderDataset

VARIABLE = "CREDIT_SCORING_DECISION_LOG_DIR"


def test_the_variable_goes_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    dataset = LogFolderDataset(filepath=str(tmp_path / "none"), variable=VARIABLE)
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="there is no such folder"):
        dataset.load()
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert dataset.exists()
    assert dataset.load() == tmp_path


def test_a_log_is_only_read(tmp_path: Path) -> None:
    dataset = LogFolderDataset(filepath=str(tmp_path), variable=VARIABLE)
    with pytest.raises(DatasetError, match="only read"):
        dataset.save(tmp_path)  # type: ignore[arg-type]
