from pathlib import Path

import pytest

from credit_scoring.registry.tracking import artifact_location, tracking_uri

PROJECT = Path(__file__).parents[2]


def test_by_default_everything_is_in_the_projects_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri() == f"sqlite:///{PROJECT}/mlflow.db"
    assert artifact_location() == f"{PROJECT}/mlruns"


def test_a_server_of_the_environment_decides_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    assert tracking_uri() == "http://mlflow:5000"
    assert artifact_location() is None
