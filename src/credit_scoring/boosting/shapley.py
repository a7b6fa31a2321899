"""Exact interventional Shapley values of boosted trees, whatever the background.

With background row b, a coalition of features takes x's values and the others
take b's. A leaf is then reached if, for every feature on its path, the row that
the feature is taken from satisfies all of the path's conditions on it. Let A be
the features that x satisfies and b does not, and B those that b satisfies and x
does not; if neither satisfies some feature, the leaf counts for nothing. A leaf
of value v gives each feature in A ``v (|A|-1)! |B|! / (|A|+|B|)!`` and each in B
``-v |A|! (|B|-1)! / (|A|+|B|)!``. That depends on outcomes at splits alone, so
the mean over the background folds into tables when it is chosen, and explaining
a row costs the same for one background row and for a million.

Source: Lundberg et al., From local explanations to global understanding with
explainable AI for trees (2020), interventional TreeSHAP; the folding is our own.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from credit_scoring.boosting.groups import (
    MAX_DEPTH,
    FlatGroups,
    Group,
    Leaf,
    flatten,
    list_groups,
)
from credit_scoring.boosting.kernels import (
    count_patterns,
    explain_many_rows,
    explain_rows,
)
from credit_scoring.boosting.trees import Trees
from credit_scoring.errors import ArtifactError

# More rows than this take less time together than one after another.
FEW_ROWS = 255
# Rows whose features and sums stay in the processor's cache together.
_BLOCK_ROWS = 256


@dataclass(frozen=True, eq=False)
class ShapleyTables:
    """What explaining a row needs: the groups, and the background folded in.

    Attributes:
        groups: The groups of the trees.
        sets: The splits by category, see `Trees.sets`.
        table: Tables of all groups, log-odds of bad.
        background_margin_mean: Mean margin of the background.
        n_background: Number of background rows.
    """

    groups: FlatGroups
    sets: NDArray[np.int64]
    table: NDArray[np.float32]
    background_margin_mean: float
    n_background: int

    @property
    def size_mb(self) -> float:
        """Size of the tables in megabytes."""
        return self.table.nbytes / 1e6

    @cached_property
    def _used(self) -> NDArray[np.int32]:
        """Slots that some split looks at, rising."""
        return np.unique(self.groups.slots)

    def contributions(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Explain rows; see `credit_scoring.decision.model.Model`."""
        groups = self.groups
        if len(x) > FEW_ROWS and not len(self.sets):
            values = np.empty(x.shape)
            explain_many_rows(
                x,
                self._used,
                groups.slots,
                groups.thresholds,
                groups.columns,
                groups.starts,
                self.table,
                values,
                _BLOCK_ROWS,
            )
            return values
        values = np.zeros(x.shape)
        explain_rows(
            x,
            self.sets,
            groups.slots,
            groups.thresholds,
            groups.columns,
            groups.starts,
            self.table,
            values,
        )
        return values


def fold_background(
    trees: Trees, background: NDArray[np.float64], margins: NDArray[np.float64]
) -> ShapleyTables:
    """Fold background rows into the tables.

    Args:
        trees: The trees to explain.
        background: Feature rows, shape (n_background, n_features).
        margins: Their margins, shape (n_background,).

    Raises:
        ArtifactError: If there is no row, or a tree is deeper than `MAX_DEPTH`.
    """
    if not len(background):
        raise ArtifactError("the background has no rows; expected at least 1")
    listed = list_groups(trees)
    groups = flatten(listed, trees, background.shape[1])
    counts = np.zeros((len(listed), 1 << (MAX_DEPTH + 1)), dtype=np.int64)
    count_patterns(background, trees.sets, groups.slots, groups.thresholds, counts)
    shares = counts / len(background)
    table = np.zeros(groups.starts[-1], dtype=np.float32)
    for index, group in enumerate(listed):
        own = _group_table(group, shares[index, : 1 << len(group.nodes)])
        of_group = table[groups.starts[index] : groups.starts[index + 1]]
        of_group.reshape(len(own), -1)[:, : own.shape[1]] = own
    return ShapleyTables(
        groups=groups,
        sets=trees.sets,
        table=table,
        background_margin_mean=math.fsum(margins) / len(margins),
        n_background=len(background),
    )


def _group_table(group: Group, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean Shapley values of a group's leaves for each pattern of a row.

    Args:
        group: The group.
        shares: Share of the background that has each pattern.

    Returns:
        Shape (n_patterns, n_columns).
    """
    table = np.zeros((len(shares), len(group.columns)))
    for leaf in group.leaves:
        columns = sorted(leaf.conditions)
        if not columns:
            continue
        met = _conditions_met(group, leaf, columns)
        by_met = np.bincount(met, weights=shares, minlength=1 << len(columns))
        values = leaf.value * np.einsum("b,xbi->xi", by_met, _weights(len(columns)))
        table[:, [group.columns.index(c) for c in columns]] += values[met]
    return table


def _conditions_met(group: Group, leaf: Leaf, columns: list[int]) -> NDArray[np.int64]:
    """For each pattern, one bit a column: all conditions on it are met."""
    pattern = np.arange(1 << len(group.nodes))
    met = np.zeros(len(pattern), dtype=np.int64)
    for bit, column in enumerate(columns):
        ok = np.ones(len(pattern), dtype=np.bool_)
        for node, goes_left in leaf.conditions[column]:
            went_left = (pattern >> group.nodes.index(node)) & 1 == 1
            ok &= went_left == goes_left
        met |= ok.astype(np.int64) << bit
    return met


_WEIGHTS: dict[int, NDArray[np.float64]] = {}


def _weights(n_columns: int) -> NDArray[np.float64]:
    """Shapley values of a leaf of value one.

    Returns:
        Shape (2**n, 2**n, n): conditions that x meets, those that the
        background row meets, column.
    """
    if n_columns not in _WEIGHTS:
        size = 1 << n_columns
        weights = np.zeros((size, size, n_columns))
        for x, b in product(range(size), repeat=2):
            if x | b == size - 1 and x != b:
                weights[x, b] = _leaf_values(x & ~b, b & ~x, n_columns)
        _WEIGHTS[n_columns] = weights
    return _WEIGHTS[n_columns]


def _leaf_values(only_x: int, only_b: int, n_columns: int) -> list[float]:
    a, b = only_x.bit_count(), only_b.bit_count()
    whole = math.factorial(a + b)
    gain = math.factorial(a - 1) * math.factorial(b) / whole if a else 0.0
    loss = math.factorial(a) * math.factorial(b - 1) / whole if b else 0.0
    return [
        gain * (only_x >> i & 1) - loss * (only_b >> i & 1) for i in range(n_columns)
    ]
