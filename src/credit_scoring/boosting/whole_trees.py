"""Trees as whole ones: every path as long as the others, for many rows at a time."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from credit_scoring.boosting.kernels import walk_whole_trees
from credit_scoring.boosting.trees import Trees

# With more levels, asking every split takes longer than following the paths.
MOST_LEVELS = 6
# Rows whose features stay in the processor's cache together.
_BLOCK_ROWS = 256


@dataclass(frozen=True, eq=False)
class WholeTrees:
    """The splits of trees by pairs of levels, the lowest pair first.

    A pair of levels is a split and the two below it. Where a path is shorter, splits
    stand in whose sides are the same leaf.

    Attributes:
        used: Slots that some split looks at, rising, see `Trees.slots`.
        slots: Shape (n_trees, n_pairs, 3).
        thresholds: Shape (n_trees, n_pairs, 3).
        leaves: Shape (n_trees, 2**levels), from left to right.
    """

    used: NDArray[np.int32]
    slots: NDArray[np.int32]
    thresholds: NDArray[np.float32]
    leaves: NDArray[np.float32]

    @classmethod
    def of(cls, trees: Trees, n_features: int) -> Self | None:
        """Lay trees out; None if they are too deep, or split by categories."""
        levels = max(2, trees.depth() + trees.depth() % 2)
        if levels > MOST_LEVELS or len(trees.category_nodes):
            return None
        slots, leaf = trees.slots(n_features), trees.is_leaf
        n_trees, n_splits = len(trees.roots), 2**levels - 1
        own = np.zeros((n_trees, n_splits), np.int32)
        bounds = np.full((n_trees, n_splits), -np.inf, np.float32)
        nodes = np.empty((n_trees, 2 * n_splits + 1), np.int64)
        nodes[:, 0] = trees.roots
        for place in range(n_splits):
            here = nodes[:, place]
            inner = ~leaf[here]
            own[inner, place] = slots[here[inner]]
            bounds[inner, place] = trees.threshold[here[inner]]
            nodes[:, 2 * place + 1] = np.where(inner, trees.left[here], here)
            nodes[:, 2 * place + 2] = np.where(inner, trees.left[here] + 1, here)
        pairs = np.array(
            [
                [first, 2 * first + 1, 2 * first + 2]
                for level in range(levels - 2, -1, -2)
                for first in range(2**level - 1, 2 ** (level + 1) - 1)
            ]
        )
        return cls(
            used=np.unique(own),
            slots=np.ascontiguousarray(own[:, pairs]),
            thresholds=np.ascontiguousarray(bounds[:, pairs]),
            leaves=np.ascontiguousarray(trees.value[nodes[:, n_splits:]]),
        )

    def margin(
        self, x: NDArray[np.float64], base_margin: np.float32
    ) -> NDArray[np.float64]:
        """Add up each row's leaves; see `TreeEnsemble.margin`.

        Args:
            x: Feature matrix, shape (n, n_features), C order.
            base_margin: Where each sum starts.
        """
        margin = np.empty(len(x))
        walk_whole_trees(
            x,
            self.used,
            self.slots,
            self.thresholds,
            self.leaves,
            base_margin,
            margin,
            _BLOCK_ROWS,
        )
        return margin
