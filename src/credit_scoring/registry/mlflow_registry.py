"""Candidates in MLflow: their runs, registered versions and aliases."""

import logging
import math
import os
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, Param
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types.schema import ColSpec, Schema

import credit_scoring
from credit_scoring.errors import PromotionError
from credit_scoring.registry.artifact import Artifact
from credit_scoring.registry.mlflow_model import input_example, pinned_requirements
from credit_scoring.registry.versions import MODEL_NAME, RegisteredVersion

_LOADER = "credit_scoring.registry.mlflow_model"
_PACKAGE = Path(credit_scoring.__file__).parent
# MLflow refuses longer ones, and more in one call.
_LONGEST_PARAMETER = 500
_MOST_PARAMETERS = 100
_DATASET_DIGEST = 36
# Registering a model changes the process for a moment, see `_mlflow_by_itself`.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class CandidateLog:
    """What a candidate's run says beside its artifact.

    Attributes:
        parameters: Parameters that made it, nested.
        metrics: Split -> measure -> value with its interval, nested.
        data_source: Where the raw data comes from.
        reports: Plots and tables: path below ``reports/`` of the run -> content.
    """

    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]
    data_source: str
    reports: Mapping[str, bytes]


def flat_figures(nested: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Flatten nested figures to metric names such as ``test_auc_low``.

    The key ``value`` adds nothing to a name. What is no finite number is left
    out: a metric that is missing is seen to be missing.
    """
    figures: dict[str, float] = {}
    for key, value in nested.items():
        name = prefix if key == "value" else "_".join(filter(None, (prefix, str(key))))
        if isinstance(value, Mapping):
            figures.update(flat_figures(value, name))
        elif isinstance(value, int | float) and math.isfinite(value):
            figures[name] = float(value)
    return figures


def flat_parameters(nested: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Flatten nested parameters to names such as ``policy.approve_from``."""
    flat: dict[str, str] = {}
    for key, value in nested.items():
        name = ".".join(filter(None, (prefix, str(key))))
        if isinstance(value, Mapping):
            flat.update(flat_parameters(value, name))
        else:
            flat[name] = str(value)[:_LONGEST_PARAMETER]
    return flat


def all_versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """List the versions of a registered model, the oldest first."""
    found: list[ModelVersion] = []
    token = None
    while True:
        page = client.search_model_versions(f"name='{name}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return sorted(found, key=lambda version: int(version.version))


class MlflowRegistry:
    """One registered model of the current MLflow server."""

    def __init__(self, name: str = MODEL_NAME) -> None:
        """Talk to the server that `mlflow.set_tracking_uri` named.

        Args:
            name: Of the registered model; it need not exist yet.
        """
        self.name = name
        # No bar of its own for the few files of a model; the user may want it.
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        self._client = MlflowClient()

    def log_candidate(self, artifact: Artifact, log: CandidateLog) -> RegisteredVersion:
        """Log a candidate as a run below the current one, and register it.

        The same artifact is registered once: a later run of it is logged with
        its measures, and names the version that exists.

        Args:
            artifact: The verified artifact.
            log: Parameters, measures, data and reports.

        Returns:
            The version that holds the artifact, new or not.
        """
        with _ONE_AT_A_TIME:
            return self._log_candidate(artifact, log)

    def _log_candidate(
        self, artifact: Artifact, log: CandidateLog
    ) -> RegisteredVersion:
        family = artifact.manifest.family
        known = self.version_of_digest(artifact.digest)
        with mlflow.start_run(run_name=family, nested=True) as run:
            run_id = run.info.run_id
            self._log_facts(run_id, artifact, log)
            _log_files(log.reports, "reports")
            version = known or self._register(run_id, artifact)
            self._client.set_tag(run_id, "registered_version", str(version.version))
        return version

    def version_of_digest(self, digest: str) -> RegisteredVersion | None:
        """Find the newest version that holds an artifact; None if none does."""
        found = [v for v in self.versions() if v.digest == digest]
        return max(found, key=lambda v: v.version, default=None)

    def versions(self) -> list[RegisteredVersion]:
        """List the versions, the oldest first."""
        found = all_versions(self._client, self.name)
        return [_registered(version) for version in found]

    def holder(self, alias: str) -> RegisteredVersion | None:
        """Give the version that has an alias; None if none has it."""
        try:
            found = self._client.get_model_version_by_alias(self.name, alias)
        except MlflowException as error:
            # MLflow answers an alias that is not set as an invalid value.
            if error.error_code in {
                "INVALID_PARAMETER_VALUE",
                "RESOURCE_DOES_NOT_EXIST",
            }:
                return None
            raise
        return _registered(found)

    def set_alias(self, alias: str, version: int) -> None:
        """Give an alias to a version, taking it from whoever had it."""
        self._client.set_registered_model_alias(self.name, alias, str(version))

    def remove_alias(self, alias: str) -> None:
        """Take an alias from whoever has it."""
        self._client.delete_registered_model_alias(self.name, alias)

    @contextmanager
    def model_folder(self, version: int) -> Iterator[Path]:
        """Give a version's MLflow model as a folder, for as long as it is used.

        Raises:
            PromotionError: If its files are not where the registry says.
        """
        with tempfile.TemporaryDirectory(prefix="credit_scoring-") as place:
            fault = ""
            try:
                mlflow.artifacts.download_artifacts(
                    f"models:/{self.name}/{version}", dst_path=place
                )
            except (MlflowException, OSError) as error:
                fault = str(error)[:300]
            folder = Path(place)
            # MLflow takes a folder that is gone for an empty one.
            if fault or not (folder / "MLmodel").is_file():
                raise PromotionError(
                    f"the files of version {version} of {self.name} are not where the "
                    "registry says; if the project was moved, delete mlflow.db and "
                    f"mlruns, and run again. {fault}".strip()
                )
            yield folder

    def _log_facts(self, run_id: str, artifact: Artifact, log: CandidateLog) -> None:
        now = int(time.time() * 1000)
        metrics = [
            Metric(name, value, now, 0)
            for name, value in flat_figures(log.metrics).items()
        ]
        parameters = [
            Param(name, value)
            for name, value in flat_parameters(log.parameters).items()
        ]
        self._client.log_batch(run_id, metrics=metrics)
        for start in range(0, len(parameters), _MOST_PARAMETERS):
            self._client.log_batch(
                run_id, params=parameters[start : start + _MOST_PARAMETERS]
            )
        mlflow.set_tags(version_tags(artifact))
        mlflow.log_input(_dataset(artifact, log.data_source), context="training")
        for name in ("contract.json", "model_card.md"):
            mlflow.log_artifact(str(artifact.folder / name))

    def _register(self, run_id: str, artifact: Artifact) -> RegisteredVersion:
        with _mlflow_by_itself():
            model = mlflow.pyfunc.log_model(
                name=self.name,
                loader_module=_LOADER,
                data_path=str(artifact.folder),
                code_paths=[str(_PACKAGE)],
                pip_requirements=pinned_requirements(),
                signature=_signature(artifact),
                input_example=input_example(artifact.contract),
            )
        self._ensure_registered_model()
        self._client.create_model_version(
            self.name,
            source=f"models:/{model.model_id}",
            run_id=run_id,
            tags=version_tags(artifact),
            model_id=model.model_id,
        )
        return self._registered_once(run_id)

    def _registered_once(self, run_id: str) -> RegisteredVersion:
        """Give the version of a run, and delete others that it has.

        A call whose answer was lost is sent again by MLflow's client, and makes
        another version of the same model.
        """
        first, *again = [v for v in self.versions() if v.run_id == run_id]
        for version in again:
            self._client.delete_model_version(self.name, str(version.version))
        return first

    def _ensure_registered_model(self) -> None:
        try:
            self._client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise


@contextmanager
def _mlflow_by_itself() -> Iterator[None]:
    """Undo what logging a model does to the process, and mute what it says.

    MLflow tries the model out and leaves its copy of the code on the path, before
    the code that runs. It warns of its own classes when it is first used, and that
    pip, which no model needs, is not installed.
    """
    search_path, logger = list(sys.path), logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        sys.path[:] = search_path


def _log_files(files: Mapping[str, bytes], folder: str) -> None:
    with tempfile.TemporaryDirectory(prefix="credit_scoring-") as place:
        for name, content in files.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        mlflow.log_artifacts(place, folder)


def version_tags(artifact: Artifact) -> dict[str, str]:
    """Say on a version, in words that can be searched, what it is made of."""
    manifest = artifact.manifest
    provenance = manifest.provenance
    return {
        "family": manifest.family,
        "artifact_digest": artifact.digest,
        "feature_version": manifest.feature_version,
        "contract_digest": manifest.contract_digest,
        "policy_version": manifest.policy_version,
        "data_digest": provenance.data_digest,
        "git_revision": provenance.git_revision,
        "git_dirty": str(provenance.git_dirty).lower(),
        "environment_digest": provenance.environment_digest,
    }


def _registered(version: ModelVersion) -> RegisteredVersion:
    return RegisteredVersion(
        version=int(version.version),
        run_id=str(version.run_id),
        digest=version.tags.get("artifact_digest", ""),
        family=version.tags.get("family", ""),
        model=str(version.name),
    )


def _dataset(artifact: Artifact, source: str) -> Dataset:
    with warnings.catch_warnings():
        # A local path is a local file to MLflow in two ways, which are the same.
        warnings.filterwarnings("ignore", message=".*interpreted in multiple ways")
        resolved = resolve_dataset_source(source)
    return MetaDataset(  # type: ignore[abstract]
        source=resolved,
        name=artifact.contract.name,
        digest=artifact.manifest.provenance.data_digest[:_DATASET_DIGEST],
    )


def _signature(artifact: Artifact) -> ModelSignature:
    names = artifact.contract.input_names
    return ModelSignature(
        inputs=Schema([ColSpec("double", name) for name in names]),
        outputs=Schema(
            [
                ColSpec("double", "pd"),
                ColSpec("double", "score"),
                ColSpec("string", "decision"),
            ]
        ),
    )
