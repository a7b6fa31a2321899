"""The promotion record that is packed with the models: it must speak of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import ArtifactError
from credit_scoring.registry.manifest import MANIFEST
from credit_scoring.registry.records import digest_fault, record_fault
from credit_scoring.registry.signing import TRUSTED_KEYS_DIR, read_trusted_keys
from credit_scoring.serving.models import ModelFolder


def verify_promotion(
    path: Path,
    models: Mapping[str, ModelFolder | None],
    environment: Mapping[str, str],
) -> str:
    """Make sure that the models of a Bento are those that were promoted.

    Args:
        path: The promotion record in the Bento.
        models: Role -> its model; None for a role that nobody has.
        environment: ``CREDIT_SCORING_TRUSTED_KEYS_DIR`` names public keys; then
            one of them must have signed the record.

    Returns:
        What was verified, in a line.

    Raises:
        ArtifactError: If the record is missing, altered, signed by nobody
            trusted, or names other models.
        SettingsError: If the trusted keys cannot be read.
    """
    record = _read(path)
    folder = environment.get(TRUSTED_KEYS_DIR)
    fault = (
        record_fault(record, read_trusted_keys(Path(folder)))
        if folder
        else digest_fault(record)
    )
    if fault is not None:
        raise ArtifactError(f"{path.name}: {fault}")
    for role, model in models.items():
        promoted = (record.get(role) or {}).get("artifact_digest")
        packed = _digest(model) if model else None
        if packed != promoted:
            raise ArtifactError(
                f"{path.name}: the {role} that was promoted is "
                f"{str(promoted)[:12]}, and the one packed is {str(packed)[:12]}"
            )
    signed = "signed with a trusted key" if folder else "unaltered"
    return f"promotion record {record['digest'][:12]}: {signed}, names these models"


def _digest(model: ModelFolder) -> str:
    try:
        return sha256_of_file(model.folder / MANIFEST)
    except OSError as error:
        raise ArtifactError(f"{MANIFEST}: cannot be read ({error.strerror})") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise ArtifactError(
            f"{path.name}: cannot be read ({error.strerror}); "
            "`kedro run --pipelines packaging` packs it"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ArtifactError(f"{path.name}: is no JSON object") from None
