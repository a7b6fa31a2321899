"""What a run on an MLflow server asks for before anything runs; with real servers."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from credit_scoring.errors import SettingsError
from credit_scoring.registry.tracking_server import require_tracking_server
from credit_scoring.serving.local_server import free_port

from .servers import BUCKET, S3, MlflowServer

Environment = dict[str, str]


@pytest.fixture
def client(
    server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MlflowClient]:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(server.url)
    yield MlflowClient()
    mlflow.set_tracking_uri(before)


def test_all_that_is_there_is_enough(environment: Environment) -> None:
    require_tracking_server(environment, "not there yet")


def test_a_server_that_does_not_answer_is_named(environment: Environment) -> None:
    environment["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_URI does not answer"):
        require_tracking_server(environment, "any")


def test_a_server_that_is_no_mlflow_is_told(
    environment: Environment, store: S3
) -> None:
    environment["MLFLOW_TRACKING_URI"] = store.url
    with pytest.raises(SettingsError, match=r"refuses with 403|names its experiment"):
        require_tracking_server(environment, "any")


def test_a_bucket_is_used_with_credentials_of_the_environment_alone(
    environment: Environment,
    client: MlflowClient,
    store: S3,
) -> None:
    name = "in a bucket"
    client.create_experiment(name, artifact_location=f"s3://{BUCKET}/direct")
    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID, AWS_SECRET"):
        require_tracking_server(environment, name)
    environment |= store.environment
    require_tracking_server(environment, name)
    environment["AWS_SECRET_ACCESS_KEY"] = environment["AWS_ACCESS_KEY_ID"]
    with pytest.raises(SettingsError, match=f"bucket '{BUCKET}' of the artifacts"):
        require_tracking_server(environment, name)


def test_a_bucket_that_is_not_there_is_named(
    environment: Environment,
    client: MlflowClient,
    store: S3,
) -> None:
    client.create_experiment("nowhere", artifact_location="s3://not-there/x")
    with pytest.raises(SettingsError, match="'not-there' of the artifacts cannot"):
        require_tracking_server(environment | store.environment, "nowhere")


def test_a_folder_of_the_server_is_no_place_for_artifacts(
    environment: Environment, client: MlflowClient, tmp_path: Path
) -> None:
    client.create_experiment("local", artifact_location=str(tmp_path))
    with pytest.raises(SettingsError, match="not shared with this machine"):
        require_tracking_server(environment, "local")
