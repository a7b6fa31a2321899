"""The models of a release, verified and ready to decide on many rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import bentoml
from bentoml.exceptions import NotFound

from credit_scoring.contract.model import Contract
from credit_scoring.decision.routing import Arm, Split
from credit_scoring.decision.tabular import TabularEngine
from credit_scoring.errors import ArtifactError, BatchError
from credit_scoring.registry.artifact import Artifact, load_artifact
from credit_scoring.registry.bento_store import ARTIFACT


@dataclass(frozen=True)
class BatchModel:
    """A model of the release.

    Attributes:
        name: Registered name.
        version: Registered version.
        role: ``champion`` or ``challenger``.
        digest: SHA-256 of its artifact.
        feature_version: Of its features.
        engine: Decides.
        folder: Of its artifact.
    """

    name: str
    version: str
    role: Arm
    digest: str
    feature_version: str
    engine: TabularEngine
    folder: Path


@dataclass(frozen=True)
class BatchModels:
    """Who decides.

    Attributes:
        contract: The champion's: files are read under it.
        champion: Decides.
        challenger: Decides on its arm; None if there is no split.
        split: Draws the arm; None if the champion decides, always.
    """

    contract: Contract
    champion: BatchModel
    challenger: BatchModel | None = None
    split: Split | None = None

    @property
    def all(self) -> tuple[BatchModel, ...]:
        """Champion, and challenger if there is a split."""
        return (
            (self.champion,)
            if self.challenger is None
            else (self.champion, self.challenger)
        )

    def arms(self, loan_ids: Sequence[str]) -> list[Arm]:
        """Draw the arm of each applicant, as the service does."""
        if self.split is None:
            return ["champion"] * len(loan_ids)
        return self.split.arms(loan_ids)


def load_released(
    tags: Mapping[str, str | None], *, split: Split | None = None
) -> BatchModels:
    """Load the models that packaging put into BentoML's store.

    Args:
        tags: Role -> exact tag, as `service_models` in the catalog has them.
        split: Who belongs to the challenger; None if nobody does.

    Raises:
        BatchError: If a model is not there, or there is no challenger to split with.
        ArtifactError: If a file of a model is not what it was when made, or the
            challenger reads another contract.
    """
    champion, artifact = _stored("champion", tags.get("champion"))
    if split is None:
        return BatchModels(artifact.contract, champion)
    challenger, other = _stored("challenger", tags.get("challenger"))
    if other.contract.digest != artifact.contract.digest:
        raise ArtifactError(
            f"the challenger's contract {other.contract.digest[:12]} is not the "
            f"champion's, {artifact.contract.digest[:12]}"
        )
    return BatchModels(artifact.contract, champion, challenger, split)


def _stored(role: Arm, tag: str | None) -> tuple[BatchModel, Artifact]:
    if tag is None:
        raise BatchError(
            f"the release has no {role}: set batch_scoring.routing to champion, or "
            "package a release with one"
        )
    try:
        stored = bentoml.models.get(tag)
    except NotFound:
        raise BatchError(
            f"{tag} is not in BentoML's store: `kedro run --pipelines packaging` puts "
            "the promoted models there"
        ) from None
    artifact = load_artifact(Path(stored.path) / ARTIFACT, compiled=True)
    return batch_model(
        artifact, role, name=stored.tag.name, version=stored.info.labels["version"]
    ), artifact


def batch_model(
    artifact: Artifact, role: Arm, *, name: str, version: str
) -> BatchModel:
    """Make a loaded artifact ready, compiling what it runs.

    Args:
        artifact: Verified.
        role: As what it decides.
        name: Registered name.
        version: Registered version.
    """
    artifact.warm_up()
    return BatchModel(
        name=name,
        version=version,
        role=role,
        digest=artifact.digest,
        feature_version=artifact.manifest.feature_version,
        engine=TabularEngine(artifact.engine),
        folder=artifact.folder,
    )
