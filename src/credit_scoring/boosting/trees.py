"""Boosted trees as flat arrays, checked before anything walks through them."""

from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import ArtifactError

_DTYPES = {
    "feature": np.int32,
    "threshold": np.float32,
    "left": np.int32,
    "default_left": np.uint8,
    "value": np.float32,
    "roots": np.int32,
}
_OF_CATEGORIES = {"category_nodes": np.int32, "category_words": np.uint32}


@dataclass(frozen=True, eq=False)
class Trees:
    """All nodes of all trees, one entry a node, each tree's root first.

    A split sends a row left where its feature, as float32, is below the
    threshold; where it is missing, left if ``default_left``. The right child
    stands right behind the left one. A leaf is marked by ``left`` pointing one
    before the leaf itself and a threshold of minus infinity, so that a walk that
    has reached a leaf goes "right" and stays there.

    At a split by category a row goes right if its feature, cut to a whole number,
    is in the split's set. A value below 0, or above all of the set, goes left.

    Attributes:
        feature: Column that a split looks at, shape (n_nodes,); 0 at a leaf.
        threshold: Shape (n_nodes,); 0 at a split by category.
        left: Position of the left child, shape (n_nodes,).
        default_left: 1 where a missing value goes left, shape (n_nodes,).
        value: A leaf's log-odds of bad, shape (n_nodes,); 0 at a split.
        roots: Position of each tree's root, rising, shape (n_trees,).
        category_nodes: Positions of the splits by category, rising, shape
            (n_sets,).
        category_words: Their sets, shape (n_sets, n_words): category c is in one
            if bit c % 32 of word c // 32 is set.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    default_left: NDArray[np.uint8]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]
    category_nodes: NDArray[np.int32] = field(
        default_factory=lambda: np.zeros(0, np.int32)
    )
    category_words: NDArray[np.uint32] = field(
        default_factory=lambda: np.zeros((0, 1), np.uint32)
    )

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
        self._check_categories()

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

    def _check_categories(self) -> None:
        nodes, words = self.category_nodes, self.category_words
        typed = {name: getattr(self, name).dtype for name in _OF_CATEGORIES}
        if typed != _OF_CATEGORIES or (nodes.ndim, words.ndim) != (1, 2):
            raise ArtifactError("trees: sets of categories are not of the right type")
        if len(nodes) != len(words) or not words.shape[1]:
            raise ArtifactError("trees: sets of categories differ in number")
        inside = (nodes >= 0).all() and (nodes < len(self.left)).all()
        if not inside or (np.diff(nodes) <= 0).any():
            raise ArtifactError("trees: splits by category do not rise")
        if self.is_leaf[nodes].any() or (self.threshold[nodes] != 0).any():
            raise ArtifactError("trees: splits by category are not splits")

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
        """Where each node's feature stands in a row prepared by `kernels.fill_row`."""
        offset = np.where(self.default_left == 1, 0, n_features)
        slots = (self.feature + offset).astype(np.int32)
        slots[self.category_nodes] = 2 * n_features + np.arange(
            len(self.category_nodes)
        )
        return slots

    @cached_property
    def sets(self) -> NDArray[np.int64]:
        """The splits by category, for `kernels.fill_row`.

        Returns:
            Shape (n_sets, 2 + n_words): feature, 1 where a missing value goes left,
            and the words of the set.
        """
        nodes = self.category_nodes
        described = np.stack([self.feature[nodes], self.default_left[nodes]], axis=1)
        return np.hstack([described, self.category_words]).astype(np.int64)

    def write(self, path: Path) -> None:
        """Write the arrays to an ``.npz`` file."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        np.savez(path, allow_pickle=False, **arrays)

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
