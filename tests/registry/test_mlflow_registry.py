import dataclasses
import warnings
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from credit_scoring.errors import PromotionError
from credit_scoring.registry.artifact import Artifact, load_artifact
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact
from credit_scoring.registry.mlflow_registry import (
    CandidateLog,
    MlflowRegistry,
    flat_figures,
    flat_parameters,
)

pytestmark = pytest.mark.usefixtures("mlflow_store")


@pytest.fixture
def artifact(folder: Path) -> Artifact:
    return load_artifact(folder)


@pytest.fixture
def log() -> CandidateLog:
    return CandidateLog(
        parameters={"chosen": {"depth": 3}},
        metrics={"test": {"auc": {"value": 0.78, "low": 0.77, "high": None}}},
        data_source="data/01_raw/small.csv",
        reports={"plots/roc.png": b"x", "trials.csv": b"a\n1\n"},
    )


def test_a_candidate_is_a_run_of_its_own_below_the_current_one(
    artifact: Artifact, log: CandidateLog
) -> None:
    with mlflow.start_run() as parent:
        version = MlflowRegistry().log_candidate(artifact, log)
    run = MlflowClient().get_run(version.run_id)
    assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert run.info.run_name == "linear"
    assert run.data.metrics == {"test_auc": 0.78, "test_auc_low": 0.77}
    assert run.data.params == {"chosen.depth": "3"}
    assert run.data.tags["data_digest"] == "d" * 64
    assert run.data.tags["git_revision"] == "abc"
    assert run.data.tags["environment_digest"] == "e" * 64
    assert run.inputs.dataset_inputs[0].dataset.digest == "d" * 36
    logged = {f.path for f in MlflowClient().list_artifacts(version.run_id)}
    assert logged == {"contract.json", "model_card.md", "reports"}
    plots = MlflowClient().list_artifacts(version.run_id, "reports/plots")
    assert [(file.path, file.file_size) for file in plots] == [
        ("reports/plots/roc.png", 1)
    ]


def test_a_version_says_what_it_is_made_of(
    artifact: Artifact, log: CandidateLog
) -> None:
    version = MlflowRegistry().log_candidate(artifact, log)
    assert (version.version, version.digest) == (1, artifact.digest)
    tags = MlflowClient().get_model_version("credit_scoring", "1").tags
    assert tags["family"] == "linear"
    assert tags["artifact_digest"] == artifact.digest
    assert tags["feature_version"] == artifact.manifest.feature_version


def test_the_same_artifact_is_registered_once_and_logged_each_time(
    artifact: Artifact, log: CandidateLog
) -> None:
    registry = MlflowRegistry()
    first = registry.log_candidate(artifact, log)
    assert registry.log_candidate(artifact, log) == first
    assert registry.versions() == [first]
    runs = MlflowClient().search_runs(["1"])
    assert [run.data.tags["registered_version"] for run in runs] == ["1", "1"]


def test_a_registration_that_was_sent_twice_leaves_one_version(
    artifact: Artifact, log: CandidateLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MLflow's client does when the answer is lost on a broken connection."""
    once = MlflowClient.create_model_version

    def sent_again(self: MlflowClient, *words: Any, **more: Any) -> Any:
        once(self, *words, **more)
        return once(self, *words, **more)

    monkeypatch.setattr(MlflowClient, "create_model_version", sent_again)
    registry = MlflowRegistry()
    version = registry.log_candidate(artifact, log)
    assert registry.versions() == [version]
    assert version.version == 1


def test_another_artifact_is_another_version(
    artifact: Artifact, log: CandidateLog, contents: ArtifactContents, tmp_path: Path
) -> None:
    registry = MlflowRegistry()
    registry.log_candidate(artifact, log)
    write_artifact(
        tmp_path / "second", dataclasses.replace(contents, model_card="Other.")
    )
    second = registry.log_candidate(load_artifact(tmp_path / "second"), log)
    assert [v.version for v in registry.versions()] == [1, 2]
    assert registry.version_of_digest(second.digest) == second


def test_a_registry_without_the_model_has_no_versions_and_no_holders() -> None:
    registry = MlflowRegistry()
    assert registry.versions() == []
    assert registry.version_of_digest("d") is None
    assert registry.holder("champion") is None


def test_an_alias_moves_to_the_version_it_is_given(
    artifact: Artifact, log: CandidateLog
) -> None:
    registry = MlflowRegistry()
    version = registry.log_candidate(artifact, log)
    assert registry.holder("champion") is None
    registry.set_alias("champion", version.version)
    assert registry.holder("champion") == version


def test_models_of_two_names_never_meet(artifact: Artifact, log: CandidateLog) -> None:
    ours, other = MlflowRegistry(), MlflowRegistry("home_loans")
    first = ours.log_candidate(artifact, log)
    ours.set_alias("champion", first.version)
    assert (other.versions(), other.holder("champion")) == ([], None)
    second = other.log_candidate(artifact, log)
    assert (first.model, second.model) == ("credit_scoring", "home_loans")
    assert (first.version, second.version) == (1, 1)
    assert ours.versions() == [first]
    with other.model_folder(second.version) as folder:
        assert load_artifact(folder / "data/artifact").digest == artifact.digest


def test_the_model_folder_holds_artifact_and_code_and_is_gone_afterwards(
    artifact: Artifact, log: CandidateLog
) -> None:
    registry = MlflowRegistry()
    version = registry.log_candidate(artifact, log)
    with registry.model_folder(version.version) as folder:
        assert load_artifact(folder / "data/artifact").digest == artifact.digest
        assert (folder / "code/credit_scoring/registry/mlflow_model.py").is_file()
    assert not folder.exists()


def test_files_that_are_gone_are_said_to_be(
    artifact: Artifact, log: CandidateLog, mlflow_store: Path
) -> None:
    registry = MlflowRegistry()
    version = registry.log_candidate(artifact, log)
    (mlflow_store / "mlruns").rename(mlflow_store / "moved")
    with (
        pytest.raises(PromotionError, match=r"files of version 1 .* are not where"),
        registry.model_folder(version.version),
    ):
        pytest.fail("there is nothing to use")


def test_a_version_that_does_not_exist_is_said_to_be() -> None:
    with (
        pytest.raises(PromotionError, match=r"version 9 .* not found"),
        MlflowRegistry().model_folder(9),
    ):
        pytest.fail("there is nothing to use")


def test_logging_a_model_leaves_the_process_as_it_was(
    artifact: Artifact, log: CandidateLog, capfd: pytest.CaptureFixture[str]
) -> None:
    import sys

    before = list(sys.path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MlflowRegistry().log_candidate(artifact, log)
    assert sys.path == before
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_figures_are_named_by_their_way_and_only_finite_ones() -> None:
    nested = {
        "test": {"auc": {"value": 0.7, "low": None, "high": float("nan")}},
        "psi": 0.1,
        "name": "x",
    }
    assert flat_figures(nested) == {"test_auc": 0.7, "psi": 0.1}


def test_parameters_are_named_by_their_way_and_cut() -> None:
    assert flat_parameters({"a": {"b": 1, "c": None}, "d": "x" * 900}) == {
        "a.b": "1",
        "a.c": "None",
        "d": "x" * 500,
    }
