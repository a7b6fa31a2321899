"""The BentoML models that a Bento is made of, and the artifacts they hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from bentoml import Model

from credit_scoring.registry.manifest import read_manifest, verify_files


class ReleasedModels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The models of a release, by exact tag."""

    champion: str
    challenger: str | None = None


@dataclass(frozen=True)
class ModelFolder:
    """A model's artifact on disk, and as what it was registered.

    Attributes:
        folder: The artifact.
        name: Registered name.
        version: Registered version.
    """

    folder: Path
    name: str
    version: str


def read_released_models(path: Path) -> ReleasedModels:
    """Read which models the packaging pipeline has chosen.

    Raises:
        FileNotFoundError: If nothing has been packaged yet.
        msgspec.ValidationError: If the file is not as packaging writes it.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.parent.name}/{path.name} is not there: `kedro run` makes it, "
            "or `kedro run --pipelines packaging` if models are registered"
        )
    return msgspec.json.decode(path.read_bytes(), type=ReleasedModels)


def model_folder(stored: Model) -> ModelFolder:
    """Find the artifact that a BentoML model holds, and how it was registered."""
    return ModelFolder(
        folder=Path(stored.path) / "artifact",
        name=stored.tag.name,
        version=stored.info.labels["version"],
    )


def verify_model_files(models: Iterable[ModelFolder]) -> None:
    """Make sure that every file of the models is what it was when made.

    Raises:
        ArtifactError: If one is not; the message names it.
    """
    for model in models:
        verify_files(model.folder, read_manifest(model.folder))
