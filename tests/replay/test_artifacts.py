import shutil
from contextlib import ExitStack
from pathlib import Path

import bentoml
import mlflow
import pytest

from credit_scoring.digests import sha256_of_file
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.mlflow_registry import CandidateLog, MlflowRegistry
from credit_scoring.replay.artifacts import RegisteredArtifacts


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry and a store of the test's own."""
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    # MLflow remembers the experiment of a store that was used before.
    experiment = mlflow.create_experiment("replayed", str(tmp_path / "mlruns"))
    mlflow.set_experiment(experiment_id=experiment)
    return tmp_path


def test_the_registry_goes_before_the_store(artifacts: Path, places: Path) -> None:
    artifact = load_artifact(artifacts / "champion")
    log = CandidateLog(parameters={}, metrics={}, data_source="x.csv", reports={})
    with mlflow.start_run():
        MlflowRegistry("one").log_candidate(artifact, log)
    with ExitStack() as until:
        found = RegisteredArtifacts("one").find(artifact.digest, until)
        assert found is not None
        assert found.source == "version 1 in MLflow"
        assert found.code is not None
        assert (found.code / "credit_scoring").is_dir()
        assert sha256_of_file(found.folder / "manifest.json") == artifact.digest
        assert RegisteredArtifacts("one").find("0" * 64, until) is None


def test_the_store_has_what_the_registry_has_not(artifacts: Path, places: Path) -> None:
    digest = sha256_of_file(artifacts / "champion" / "manifest.json")
    with bentoml.models.create("kept_for_replay:v1-test") as model:
        shutil.copytree(artifacts / "champion", Path(model.path) / "artifact")
    try:
        with ExitStack() as until:
            found = RegisteredArtifacts("kept_for_replay").find(digest, until)
            assert found is not None
            assert found.code is None
            assert "kept_for_replay:v1-test" in found.source
            assert RegisteredArtifacts("kept_for_replay").find("0" * 64, until) is None
    finally:
        bentoml.models.delete("kept_for_replay:v1-test")
