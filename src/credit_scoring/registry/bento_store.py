"""BentoML's model store: registered versions as BentoML models, by exact tag."""

import logging
import shutil
from pathlib import Path

import bentoml
from bentoml.exceptions import NotFound

from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import ArtifactError, CreditScoringError
from credit_scoring.registry.manifest import (
    MANIFEST,
    Manifest,
    read_manifest,
    verify_files,
)
from credit_scoring.registry.versions import RegisteredVersion

# Where the artifact is in a BentoML model, beside BentoML's own file.
ARTIFACT = "artifact"

logger = logging.getLogger(__name__)


def model_tag(version: RegisteredVersion) -> str:
    """Name the BentoML model of a registered version, e.g. ``...:v3-0a1b2c3d``."""
    return f"{version.model}:v{version.version}-{version.digest[:8]}"


def import_version(version: RegisteredVersion, artifact: Path) -> str:
    """Put a registered version into BentoML's store, once.

    A model that is there already is verified; one that is no longer what it was
    is replaced.

    Args:
        version: The registered version.
        artifact: Its artifact's folder, as MLflow gave it.

    Returns:
        The model's exact tag.

    Raises:
        ArtifactError: If the folder is not the artifact that was registered.
    """
    manifest = _verified(artifact, version.digest)
    tag = model_tag(version)
    if _is_whole(tag, version.digest):
        return tag
    with bentoml.models.create(tag, labels=_labels(version, manifest)) as model:
        shutil.copytree(artifact, Path(model.path) / ARTIFACT)
    return tag


def _verified(folder: Path, digest: str) -> Manifest:
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    found = sha256_of_file(folder / MANIFEST)
    if found != digest:
        raise ArtifactError(
            f"{MANIFEST}: its digest is {found[:8]}, but {digest[:8]} was registered"
        )
    return manifest


def _is_whole(tag: str, digest: str) -> bool:
    """Say whether the store has the model; remove one that is not what it was."""
    try:
        stored = bentoml.models.get(tag)
    except NotFound:
        return False
    try:
        _verified(Path(stored.path) / ARTIFACT, digest)
    except CreditScoringError as error:
        logger.warning("%s in BentoML's store is replaced: %s", tag, error)
        bentoml.models.delete(tag)
        return False
    return True


def _labels(version: RegisteredVersion, manifest: Manifest) -> dict[str, str]:
    """Say where the model comes from; its role is the release's to say."""
    provenance = manifest.provenance
    return {
        "name": version.model,
        "version": str(version.version),
        "run_id": version.run_id,
        "family": manifest.family,
        "artifact_digest": version.digest,
        "feature_version": manifest.feature_version,
        "contract_digest": manifest.contract_digest,
        "policy_version": manifest.policy_version,
        "data_digest": provenance.data_digest,
        "git_revision": provenance.git_revision,
        "git_dirty": str(provenance.git_dirty).lower(),
        "environment_digest": provenance.environment_digest,
    }
