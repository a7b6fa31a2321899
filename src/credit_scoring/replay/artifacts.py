"""Finding the artifact that decided, by its digest."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import bentoml
from bentoml.exceptions import NotFound

from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import ArtifactError, PromotionError
from credit_scoring.registry.bento_store import ARTIFACT
from credit_scoring.registry.manifest import MANIFEST
from credit_scoring.registry.scoring import artifact_folder


@dataclass(frozen=True)
class Found:
    """An artifact that is here, not verified yet.

    Attributes:
        folder: Its files.
        code: The code that it was registered with; None if it is not kept there.
        source: Where it was found.
    """

    folder: Path
    code: Path | None
    source: str


class Artifacts(Protocol):
    """Where artifacts are looked for."""

    def find(self, digest: str, until: ExitStack) -> Found | None:
        """Find an artifact; None if it is nowhere.

        Args:
            digest: SHA-256 of its manifest.
            until: Keeps the files as long as it is open.
        """


class RegisteredArtifacts:
    """Artifacts in MLflow's registry, else in BentoML's store."""

    def __init__(self, model: str) -> None:
        """Look among the versions of a registered model."""
        self._model = model

    def find(self, digest: str, until: ExitStack) -> Found | None:
        """Find an artifact; the registry has its code beside it."""
        try:
            found = until.enter_context(_registered(self._model, digest))
        except (PromotionError, ArtifactError):
            found = None  # its files are gone; the store may have them
        return found or _stored(self._model, digest)


@contextmanager
def _registered(model: str, digest: str) -> Iterator[Found | None]:
    # MLflow's seconds are spent when a model is looked for, not at each start.
    from credit_scoring.registry.mlflow_registry import MlflowRegistry

    registry = MlflowRegistry(model)
    version = registry.version_of_digest(digest)
    if version is None:
        yield None
        return
    with registry.model_folder(version.version) as place:
        folder = artifact_folder(place)
        if not _is(folder, digest):
            raise ArtifactError(f"version {version.version} is not what it was")
        yield Found(folder, place / "code", f"version {version.version} in MLflow")


def _stored(model: str, digest: str) -> Found | None:
    try:
        kept = bentoml.models.list(model)
    except NotFound:
        return None
    for stored in kept:
        folder = Path(stored.path) / ARTIFACT
        if _is(folder, digest):
            return Found(folder, None, f"{stored.tag} in BentoML's store")
    return None


def _is(folder: Path, digest: str) -> bool:
    manifest = folder / MANIFEST
    return manifest.is_file() and sha256_of_file(manifest) == digest
