"""The boosting candidate: compiled trees that answer as XGBoost does, to the bit."""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from credit_scoring.boosting.groups import flatten, list_groups
from credit_scoring.boosting.kernels import walk_trees
from credit_scoring.boosting.shapley import (
    FEW_ROWS,
    ShapleyTables,
    fold_background,
)
from credit_scoring.boosting.trees import Trees, read_arrays
from credit_scoring.boosting.whole_trees import WholeTrees
from credit_scoring.errors import ArtifactError

BOOSTER_FILE = "booster.ubj"
TREES_FILE = "trees.npz"
ENSEMBLE_FILE = "ensemble.json"
SHAPLEY_FILE = "shapley.npz"
_FORMAT = 1
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_SHAPLEY_ARRAYS = ("table", "background_margin_mean", "n_background")


@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """Gradient-boosted trees; a `credit_scoring.decision.model.Model`.

    Attributes:
        features: Names of the feature matrix's columns, in order.
        trees: The trees.
        base_margin: Log-odds that the trees add to; exact in float32.
        booster: The same model as XGBoost's own UBJSON, for XGBoost's tools.
        tables: The background folded in, once it is chosen.
    """

    family: ClassVar[str] = "boosting"
    margins: ClassVar[str] = "compiled"

    features: tuple[str, ...]
    trees: Trees
    base_margin: float
    booster: bytes
    tables: ShapleyTables | None = None

    @cached_property
    def _slots(self) -> NDArray[np.int32]:
        return self.trees.slots(len(self.features))

    @cached_property
    def _whole(self) -> WholeTrees | None:
        return WholeTrees.of(self.trees, len(self.features))

    @cached_property
    def _base(self) -> np.float32:
        return np.float32(self.base_margin)

    @cached_property
    def _depth(self) -> int:
        return self.trees.depth()

    def margin(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds of bad before calibration; XGBoost's float32 bits.

        Args:
            x: Feature matrix, shape (n, n_features), C order; NaN is missing.

        Returns:
            Shape (n,).

        Raises:
            ArtifactError: If the matrix has another number of columns.
        """
        rows = self._rows(x)
        if len(rows) > FEW_ROWS and self._whole is not None:
            return self._whole.margin(rows, self._base)
        margin = np.empty(len(rows))
        walk_trees(
            rows,
            self.trees.sets,
            self._slots,
            self.trees.threshold,
            self.trees.left,
            self.trees.value,
            self.trees.roots,
            self._depth,
            self._base,
            margin,
        )
        return margin

    def contributions(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shapley values of the margin against the background applicants.

        Args:
            x: Feature matrix, shape (n, n_features).

        Returns:
            Shape (n, n_features), in log-odds of bad; positive is riskier. A
            row's sum is its margin less the background's mean margin.

        Raises:
            ArtifactError: If the model has no background yet, or the matrix
                another number of columns.
        """
        if self.tables is None:
            raise ArtifactError("the model has no background yet: no reasons")
        return self.tables.contributions(self._rows(x))

    def with_background(self, background: NDArray[np.float64]) -> Self:
        """The same model, explaining against these rows.

        Args:
            background: Feature rows, shape (n_background, n_features).

        Raises:
            ArtifactError: If there is no row, or a tree is too deep to explain.
        """
        rows = self._rows(background)
        return replace(
            self, tables=fold_background(self.trees, rows, self.margin(rows))
        )

    def save(self, folder: Path) -> None:
        """Write the model as plain files (no pickle) into an empty folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / BOOSTER_FILE).write_bytes(self.booster)
        self.trees.write(folder / TREES_FILE)
        described = {
            "format": _FORMAT,
            "family": self.family,
            "features": list(self.features),
            "base_margin": self.base_margin,
            "n_trees": len(self.trees.roots),
            "depth": self._depth,
            "margins": self.margins,
        }
        text = json.dumps(described, indent=2, allow_nan=False)
        (folder / ENSEMBLE_FILE).write_text(text + "\n", encoding="utf-8")
        if self.tables is not None:
            np.savez(
                folder / SHAPLEY_FILE,
                allow_pickle=False,
                table=self.tables.table,
                background_margin_mean=np.float64(self.tables.background_margin_mean),
                n_background=np.int64(self.tables.n_background),
            )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; needs neither XGBoost nor pandas.

        A model whose compiled trees did not agree with XGBoost when it was made
        gets its margins from XGBoost, and needs that.

        Raises:
            ArtifactError: If a file is missing or not as `save` writes it.
        """
        described = _read_description(folder / ENSEMBLE_FILE)
        features = tuple(described.features)
        trees = Trees.read(folder / TREES_FILE, len(features))
        if (described.n_trees, described.depth) != (len(trees.roots), trees.depth()):
            raise ArtifactError(
                f"{ENSEMBLE_FILE} says {described.n_trees} trees of depth "
                f"{described.depth}; {TREES_FILE} holds {len(trees.roots)} of depth "
                f"{trees.depth()}"
            )
        try:
            booster = (folder / BOOSTER_FILE).read_bytes()
        except OSError as error:
            raise ArtifactError(f"{BOOSTER_FILE} cannot be read: {error}") from error
        ensemble = cls(
            features=features,
            trees=trees,
            base_margin=described.base_margin,
            booster=booster,
            tables=_read_tables(folder / SHAPLEY_FILE, trees, len(features)),
        )
        if described.margins == cls.margins:
            return ensemble
        # By name, as nothing else of the service may lead to XGBoost.
        native = import_module("credit_scoring.boosting.native").NativeEnsemble
        return cast("Self", native.of(ensemble))

    def _rows(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The matrix in the one form that the kernels are compiled for."""
        if x.ndim != 2 or x.shape[1] != len(self.features):  # noqa: PLR2004
            raise ArtifactError(
                f"feature matrix has shape {x.shape}; "
                f"expected (n, {len(self.features)})"
            )
        if x.dtype == np.float64 and x.flags.carray:
            return x
        return np.require(x, np.float64, ("C", "A", "W"))


class _Description(BaseModel):
    """What ``ensemble.json`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: int
    family: str
    features: list[str]
    base_margin: float
    n_trees: int
    depth: int
    margins: Literal["compiled", "xgboost"] = "compiled"

    @field_validator("base_margin")
    @classmethod
    def _exact_in_float32(cls, value: float) -> float:
        # Python's comparison, as numpy would warn of an overflow.
        if not abs(value) <= _FLOAT32_MAX or float(np.float32(value)) != value:
            raise ValueError("not a float32")
        return value


def _read_description(path: Path) -> _Description:
    try:
        described = _Description.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read: {error}") from error
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in found["loc"])
        raise ArtifactError(
            f"{path.name} is not as expected: {place} {found['msg']}"
        ) from error
    if described.format != _FORMAT or described.family != TreeEnsemble.family:
        raise ArtifactError(
            f"{path.name} is not format {_FORMAT} of family {TreeEnsemble.family}"
        )
    return described


def _read_tables(path: Path, trees: Trees, n_features: int) -> ShapleyTables | None:
    if not path.exists():
        return None
    arrays = read_arrays(path, _SHAPLEY_ARRAYS)
    table = arrays["table"]
    groups = flatten(list_groups(trees), trees, n_features)
    if table.dtype != np.float32 or table.shape != (int(groups.starts[-1]),):
        raise ArtifactError(
            f"{path.name} was not made for these trees: expected a float32 table "
            f"of {int(groups.starts[-1])} entries"
        )
    mean = arrays["background_margin_mean"]
    if mean.shape != () or not np.isfinite(table).all() or not np.isfinite(mean):
        raise ArtifactError(f"{path.name} holds values that are not finite numbers")
    return ShapleyTables(
        groups=groups,
        sets=trees.sets,
        table=np.asarray(table, dtype=np.float32),
        background_margin_mean=float(mean),
        n_background=int(arrays["n_background"]),
    )
