import dataclasses
import json
from pathlib import Path

import bentoml
import pytest

from credit_scoring.errors import ArtifactError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.bento_store import import_version, model_tag
from credit_scoring.registry.versions import RegisteredVersion

pytestmark = pytest.mark.usefixtures("bento_home")


@pytest.fixture
def version(folder: Path) -> RegisteredVersion:
    digest = load_artifact(folder).digest
    return RegisteredVersion(version=3, run_id="run", digest=digest, family="linear")


def test_the_tag_names_version_and_digest(version: RegisteredVersion) -> None:
    assert model_tag(version) == f"credit_scoring:v3-{version.digest[:8]}"


def test_the_tag_has_the_name_of_the_registered_model(
    version: RegisteredVersion,
) -> None:
    other = dataclasses.replace(version, model="home_loans")
    assert model_tag(other).startswith("home_loans:v")


def test_the_stored_model_is_the_artifact_with_its_provenance(
    version: RegisteredVersion, folder: Path
) -> None:
    tag = import_version(version, folder)
    stored = bentoml.models.get(tag)
    assert load_artifact(Path(stored.path) / "artifact").digest == version.digest
    labels = stored.info.labels
    assert labels["version"] == "3"
    assert labels["run_id"] == "run"
    assert labels["artifact_digest"] == version.digest
    assert labels["data_digest"] == "d" * 64
    assert labels["git_revision"] == "abc"
    assert set(labels) >= {"feature_version", "contract_digest", "policy_version"}


def test_importing_again_changes_nothing(
    version: RegisteredVersion, folder: Path
) -> None:
    tag = import_version(version, folder)
    created = bentoml.models.get(tag).info.creation_time
    assert import_version(version, folder) == tag
    assert bentoml.models.get(tag).info.creation_time == created


def test_a_stored_model_that_was_altered_is_replaced(
    version: RegisteredVersion, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tag = import_version(version, folder)
    artifact = Path(bentoml.models.get(tag).path) / "artifact"
    (artifact / "scaling.json").write_text("{}")
    assert import_version(version, folder) == tag
    load_artifact(artifact)
    assert "is replaced: artifact files altered" in caplog.text


def test_files_that_are_not_those_registered_are_refused(
    version: RegisteredVersion, folder: Path
) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    with pytest.raises(ArtifactError, match=r"its digest is .* was registered"):
        import_version(version, folder)
    assert bentoml.models.list() == []
