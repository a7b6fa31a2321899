"""Boosted trees as flat arrays, and the compiled walk through them."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled
from credit_scoring.errors import ArtifactError

_DTYPES = {
    "feature": np.int32,
    "threshold": np.float32,
    "left": np.int32,
    "default_left": np.uint8,
    "value": np.float32,
    "roots": np.int32,
}


@dataclass(frozen=True, eq=False)
class Trees:
    """All nodes of all trees, one entry a node, each tree's root first.

    A split sends a row left where its feature, as float32, is below the
    threshold; where it is missing, left if ``default_left``. The right child
    stands right behind the left one. A leaf is marked by ``left`` pointing one
    before the leaf itself and a threshold of minus infinity, so that a walk that
    has reached a leaf goes "right" and stays there.

    Attributes:
        feature: Column that a split looks at, shape (n_nodes,); 0 at a leaf.
        threshold: Shape (n_nodes,).
        left: Position of the left child, shape (n_nodes,).
        default_left: 1 where a missing value goes left, shape (n_nodes,).
        value: A leaf's log-odds of bad, shape (n_nodes,); 0 at a split.
        roots: Position of each tree's root, rising, shape (n_trees,).
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    default_left: NDArray[np.uint8]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]

    def check(self, n_features: int) -> None:
        """See that a walk can neither leave the arrays nor run for ever.

        Raises:
            ArtifactError: If the arrays are not as described above.
        """
        for name, dtype in _DTYPES.items():
            array = getattr(self, name)
            if array.dtype != dtype or array.ndim != 1:
                raise ArtifactError(
                    f"trees: {name} is {array.dtype} with {array.ndim} dimensions; "
                    f"expected {np.dtype(dtype)} with 1"
                )
        n_nodes = len(self.left)
        same = all(len(getattr(self, name)) == n_nodes for name in list(_DTYPES)[:-1])
        if not same or not n_nodes or not len(self.roots):
            raise ArtifactError("trees: arrays are empty or differ in length")
        self._check_links(n_nodes, n_features)

    def _check_links(self, n_nodes: int, n_features: int) -> None:
        place = np.arange(n_nodes)
        leaf = self.is_leaf
        forward = (self.left > place) & (self.left < n_nodes - 1)
        wrong = ~leaf & ~forward
        wrong |= (self.feature < 0) | (self.feature >= n_features)
        wrong |= np.isnan(self.threshold) | ~np.isfinite(self.value)
        wrong |= leaf & ((self.threshold != -np.inf) | (self.default_left != 0))
        if wrong.any():
            raise ArtifactError(
                f"trees: {int(wrong.sum())} of {n_nodes} nodes are not valid; "
                f"first at {int(wrong.argmax())}"
            )
        steps = np.diff(self.roots)
        if self.roots[0] != 0 or self.roots[-1] >= n_nodes or (steps <= 0).any():
            raise ArtifactError("trees: roots do not rise from the first node on")

    @property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Which nodes are leaves, shape (n_nodes,)."""
        leaf: NDArray[np.bool_] = self.left == np.arange(len(self.left)) - 1
        return leaf

    def depth(self) -> int:
        """Splits on the longest path from a root to a leaf."""
        depths = np.zeros(len(self.left), dtype=np.int64)
        for node in np.flatnonzero(~self.is_leaf):  # parents stand before children
            child = self.left[node]
            depths[child] = depths[child + 1] = depths[node] + 1
        return int(depths.max())

    def slots(self, n_features: int) -> NDArray[np.int32]:
        """Where each node's feature stands in a row prepared by `fill_row`."""
        offset = np.where(self.default_left == 1, 0, n_features)
        return (self.feature + offset).astype(np.int32)

    def write(self, path: Path) -> None:
        """Write the arrays to an ``.npz`` file."""
        np.savez(path, allow_pickle=False, **{f: getattr(self, f) for f in _DTYPES})

    @classmethod
    def read(cls, path: Path, n_features: int) -> "Trees":
        """Read and check what `write` wrote.

        Raises:
            ArtifactError: If the file is damaged or not as `write` writes it.
        """
        trees = cls(**read_arrays(path, tuple(f.name for f in fields(cls))))
        trees.check(n_features)
        return trees


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Read exactly these arrays from an ``.npz`` file, without pickle.

    Raises:
        ArtifactError: If the file is missing or damaged, or holds other arrays.
    """
    try:
        # Opened here, as numpy leaves its own file open where the archive is none.
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ArtifactError(f"{path.name} cannot be read: not an archive")
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ArtifactError(f"{path.name} cannot be read: {error}") from error
    if sorted(arrays) != sorted(names):
        raise ArtifactError(
            f"{path.name} holds {', '.join(sorted(arrays))[:200]}; "
            f"expected {', '.join(sorted(names))}"
        )
    return arrays


@compiled
def fill_row(x: NDArray[np.float64], row: int, prepared: NDArray[np.float32]) -> None:
    """Write a row as float32 twice: missing as minus, then as plus infinity.

    A split whose missing values go left looks into the first half, another one
    into the second: so one comparison serves present and missing values alike.

    Args:
        x: Feature matrix, shape (n, n_features).
        row: Which row of it.
        prepared: Written here, shape (2 * n_features,).
    """
    n_features = x.shape[1]
    for column in range(n_features):
        value = np.float32(x[row, column])
        missing = np.isnan(value)
        prepared[column] = -np.inf if missing else value
        prepared[n_features + column] = np.inf if missing else value


@compiled
def walk_trees(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    x: NDArray[np.float64],
    slots: NDArray[np.int32],
    threshold: NDArray[np.float32],
    left: NDArray[np.int32],
    value: NDArray[np.float32],
    roots: NDArray[np.int32],
    depth: int,
    base_margin: np.float32,
    margin: NDArray[np.float64],
) -> None:
    """Add up each row's leaves in float32, from the base margin on, tree by tree.

    All trees of a row go down one level at a time: their steps do not wait for
    each other. The order of the additions is XGBoost's, and so are the bits.
    """
    n_trees = len(roots)
    place = np.empty(n_trees, dtype=np.int32)
    prepared = np.empty(2 * x.shape[1], dtype=np.float32)
    for row in range(x.shape[0]):
        fill_row(x, row, prepared)
        for tree in range(n_trees):
            place[tree] = roots[tree]
        for _ in range(depth):
            for tree in range(n_trees):
                node = place[tree]
                right = np.int32(not prepared[slots[node]] < threshold[node])
                place[tree] = left[node] + right
        total = base_margin
        for tree in range(n_trees):
            total = np.float32(total + value[place[tree]])
        margin[row] = total
