"""Fitted models in the catalog: folders of plain files."""

import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from kedro.io import AbstractDataset
from kedro_datasets._typing import JSONPreview

from credit_scoring.decision.model import Model
from credit_scoring.errors import ArtifactError

FAMILY_FILE = "family.json"
# Each family's module is imported when one of its models is read.
_CLASSES = {
    "boosting": ("credit_scoring.boosting.ensemble", "TreeEnsemble"),
    "scorecard": ("credit_scoring.scorecard.model", "Scorecard"),
}


class ModelFolderDataset(AbstractDataset[Model, Model]):
    """A model of any family, as the plain files that it writes itself.

    Beside the model's own files, `family.json` names the family that reads
    them. A save replaces the whole folder, so that no file of an earlier model
    stays behind.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the folder.

        Args:
            filepath: Folder on the local disk.
            metadata: For plugins such as Kedro-Viz.
        """
        super().__init__()
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Model:
        """Read the model.

        Raises:
            ArtifactError: If the folder does not hold a model.
        """
        path = self._folder / FAMILY_FILE
        try:
            family = json.loads(path.read_bytes())["family"]
            module, name = _CLASSES[family]
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            expected = " or ".join(sorted(_CLASSES))
            raise ArtifactError(
                f"{path} names no family of models; expected {expected}"
            ) from error
        return cast("Model", getattr(import_module(module), name).load(self._folder))

    def save(self, data: Model) -> None:
        """Write the model beside the old one, then put it in its place."""
        fresh = self._folder.with_name(f"{self._folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        data.save(fresh)
        text = json.dumps({"family": data.family})
        (fresh / FAMILY_FILE).write_text(text + "\n", encoding="utf-8")
        if self._folder.exists():
            shutil.rmtree(self._folder)
        fresh.rename(self._folder)

    def preview(self) -> JSONPreview:
        """Show the family, the features and the files in Kedro-Viz."""
        model = self.load()
        files = sorted(path.name for path in self._folder.iterdir())
        shown = {"family": model.family, "files": files, "features": model.features}
        return JSONPreview(json.dumps(shown))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}

    def _exists(self) -> bool:
        return (self._folder / FAMILY_FILE).is_file()
