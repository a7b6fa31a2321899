from pathlib import Path

import pytest

from credit_scoring import settings
from credit_scoring.configuration import ProjectConfigLoader
from credit_scoring.hooks import RunReportHooks

# Kedro calls a function that OmegaConf gave up.
pytestmark = pytest.mark.filterwarnings("ignore:register_new_resolver\\(\\) is")

CONF = Path(__file__).parents[1] / "conf"


def load(env: str) -> ProjectConfigLoader:
    return ProjectConfigLoader(str(CONF), env=env, **settings.CONFIG_LOADER_ARGS)


def test_mlflow_is_in_the_projects_folder_unless_a_server_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    mlflow = load("local")["mlflow"]
    uri = mlflow["server"]["mlflow_tracking_uri"]
    place = mlflow["tracking"]["experiment"]["create_experiment_kwargs"]
    assert uri == f"sqlite:///{CONF.parent}/mlflow.db"
    assert place["artifact_location"] == str(CONF.parent / "mlruns")

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    mlflow = load("local")["mlflow"]
    place = mlflow["tracking"]["experiment"]["create_experiment_kwargs"]
    assert mlflow["server"]["mlflow_tracking_uri"] == "http://mlflow:5000"
    assert place["artifact_location"] is None


def test_runs_are_reported_and_nothing_is_sent_home() -> None:
    assert isinstance(settings.HOOKS[0], RunReportHooks)
    assert "kedro-telemetry" in settings.DISABLE_HOOKS_FOR_PLUGINS
