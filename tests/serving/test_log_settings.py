"""The folders of the logs, made before any worker starts."""

import os
from pathlib import Path

import pytest

from credit_scoring.errors import SettingsError
from credit_scoring.serving.log_settings import prepared_log_folders
from credit_scoring.serving.settings import Settings


def test_the_folder_is_made_before_the_service_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = prepared_log_folders(
        Settings(decision_log_dir="some/where", outcomes_dir="elsewhere")
    )
    folder = folders["decision_log_dir"]
    assert folder == tmp_path / "some" / "where"
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o007 == 0
    assert folders["outcomes_dir"] == tmp_path / "elsewhere"
    again = prepared_log_folders(Settings(decision_log_dir=str(folder)))
    assert again["decision_log_dir"] == folder


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    path = os.fspath(tmp_path / "file" / "log")
    with pytest.raises(SettingsError, match=r"DECISION_LOG_DIR.*Not a directory"):
        prepared_log_folders(Settings(decision_log_dir=path))


def test_two_logs_in_one_folder_stop_the_start(tmp_path: Path) -> None:
    one = os.fspath(tmp_path)
    with pytest.raises(SettingsError, match="OUTCOMES_DIR is the folder of the dec"):
        prepared_log_folders(Settings(decision_log_dir=one, outcomes_dir=one))
