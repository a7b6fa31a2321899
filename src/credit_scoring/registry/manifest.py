"""The manifest: what an artifact is made of, and the digest of each file."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import ArtifactError

MANIFEST = "manifest.json"
FORMAT = 1
_NAMED_AT_MOST = 5


class Provenance(BaseModel):
    """Where an artifact comes from.

    Attributes:
        data_digest: SHA-256 of the raw data file.
        git_revision: Commit of the code, or ``unknown`` without a repository.
        git_dirty: Whether the code had changes that no commit holds; None if
            that is not known.
        environment_digest: SHA-256 of the lock file of the environment, or
            ``unknown``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_digest: str
    git_revision: str
    git_dirty: bool | None
    environment_digest: str


class Manifest(BaseModel):
    """What an artifact is made of.

    Attributes:
        format: Version of the folder's layout.
        family: Family of the model, which says how to load it.
        feature_set: Module that computes the features.
        feature_version: Version of the feature code and contract.
        contract_digest: Digest of the contract.
        policy_version: Version of the policy.
        background_rows: Count of applicants that reasons compare with.
        provenance: Data, code and environment.
        files: Path in the folder -> SHA-256, for every file but this one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(ge=FORMAT, le=FORMAT)
    family: str
    feature_set: str
    feature_version: str
    contract_digest: str
    policy_version: str
    background_rows: int
    provenance: Provenance
    files: dict[str, str]


def digests_of(folder: Path) -> dict[str, str]:
    """Digest each file below a folder but the manifest, by its path there."""
    return {
        path.relative_to(folder).as_posix(): sha256_of_file(path)
        for path in sorted(folder.rglob("*"))
        if not path.is_dir() and path != folder / MANIFEST
    }


def read_manifest(folder: Path) -> Manifest:
    """Read an artifact's manifest.

    Raises:
        ArtifactError: If it is not there, or not as it must be.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(f"{MANIFEST}: not found in the artifact folder") from None
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"])
        raise ArtifactError(
            f"{MANIFEST}: {error.error_count()} faults; {place or 'file'}: "
            f"{wrong['msg']}"
        ) from None


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Make sure that the folder holds the manifest's files and no other.

    Raises:
        ArtifactError: If a file is missing, altered, or not in the manifest;
            the message names it.
    """
    found = digests_of(folder)
    missing = manifest.files.keys() - found.keys()
    extra = found.keys() - manifest.files.keys()
    altered = {
        name
        for name in found.keys() & manifest.files.keys()
        if found[name] != manifest.files[name]
    }
    faults = [
        f"{what}: {_few(names)}"
        for what, names in (
            ("missing", missing),
            ("not in the manifest", extra),
            ("altered (SHA-256 differs)", altered),
        )
        if names
    ]
    if faults:
        raise ArtifactError("artifact files " + "; ".join(faults))


def _few(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = len(listed) - _NAMED_AT_MOST
    return ", ".join(listed[:_NAMED_AT_MOST]) + (
        f" and {more} more" if more > 0 else ""
    )
