"""Nodes of the packaging pipeline."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credit_scoring.errors import PromotionError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.bento_build import build_bento
from credit_scoring.registry.bento_store import import_version
from credit_scoring.registry.manifest import read_manifest
from credit_scoring.registry.mlflow_registry import MlflowRegistry
from credit_scoring.registry.scoring import artifact_folder
from credit_scoring.registry.versions import CHALLENGER, CHAMPION, RegisteredVersion


def import_models(promotion_record: Mapping[str, Any]) -> dict[str, Any]:
    """Put the versions that were promoted into BentoML's store.

    Args:
        promotion_record: Names champion and challenger by version and digest.

    Returns:
        ``models``: role -> exact tag, for the service; ``versions``: role -> what
        the version is, for the release; and ``record``: the evidence that goes
        with them.

    Raises:
        PromotionError: If there is no champion, or a version's files are gone.
        ArtifactError: If a version's files are not those that were registered, or
            the code present cannot decide with them.
    """
    if promotion_record.get(CHAMPION) is None:
        raise PromotionError(
            "there is no champion to pack: run the promotion pipeline first, and see "
            "its record for the gates that were not passed"
        )
    models: dict[str, str | None] = {}
    versions: dict[str, Any] = {}
    registry = MlflowRegistry(promotion_record["model"])
    for role in (CHAMPION, CHALLENGER):
        held = promotion_record.get(role)
        if held is None:
            models[role] = None
            continue
        version = RegisteredVersion(
            version=held["version"],
            run_id=held["run_id"],
            digest=held["artifact_digest"],
            family=held["family"],
            model=promotion_record["model"],
        )
        with registry.model_folder(version.version) as folder:
            artifact = artifact_folder(folder)
            models[role] = import_version(version, artifact)
            manifest = read_manifest(artifact)
            # As the service does it: what cannot be loaded is not packed, and the
            # service need not compile, which takes many seconds.
            load_artifact(artifact, compiled=True).warm_up()
        versions[role] = {
            "model": models[role],
            **held,
            "policy_version": manifest.policy_version,
            "feature_version": manifest.feature_version,
            "contract_digest": manifest.contract_digest,
            **manifest.provenance.model_dump(mode="json"),
        }
    return {"models": models, "versions": versions, "record": dict(promotion_record)}


def pack_release(
    service_models: Mapping[str, str | None],
    released_versions: Mapping[str, Any],
    service_record: Mapping[str, Any],
    service_folder: Path,
) -> dict[str, Any]:
    """Build the Bento and write down what is in it.

    Args:
        service_models: Role -> exact tag; the Bento gets their name.
        released_versions: Role -> what the version is.
        service_record: The promotion record, packed as the file it is.
        service_folder: ``bentos/`` of the project.

    Returns:
        The release: Bento, models by role, time.

    Raises:
        PromotionError: If the Bento cannot be built.
    """
    return {
        "bento": build_bento(
            service_folder, service_models, service_record, released_versions
        ),
        "models": dict(service_models),
        "versions": dict(released_versions),
        "promotion_record": service_record["digest"],
        "policy_version": released_versions[CHAMPION]["policy_version"],
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
