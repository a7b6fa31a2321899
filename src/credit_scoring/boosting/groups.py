"""The leaves of the trees in small groups, each of which shares one table."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit_scoring.boosting.trees import Trees
from credit_scoring.errors import ArtifactError

MAX_DEPTH = 6
"""Deepest trees that can be explained: a table doubles with each level."""

_GROUP_HEIGHT = 2


@dataclass(frozen=True)
class Leaf:
    """A leaf: its value, and what its path asks of each feature.

    Attributes:
        value: Log-odds of bad.
        conditions: Column -> (split node, whether the path goes left there).
    """

    value: float
    conditions: dict[int, list[tuple[int, bool]]]


@dataclass(frozen=True)
class Group:
    """Neighbouring leaves that share one table.

    Attributes:
        nodes: Splits above the leaves; a row's outcomes there are its pattern.
        columns: Distinct columns that those splits look at.
        leaves: At most four.
    """

    nodes: list[int]
    columns: list[int]
    leaves: list[Leaf]


@dataclass(frozen=True, eq=False)
class FlatGroups:
    """The groups of all trees as arrays, for the compiled kernels.

    A group with fewer splits than the largest has splits behind its own at which
    every row goes right; one with fewer columns has entries of 0 behind its own.

    Attributes:
        slots: Place of each split's feature in a prepared row, shape
            (n_splits, n_groups).
        thresholds: Threshold of each split, shape (n_splits, n_groups).
        columns: Feature columns, shape (n_groups, n_columns).
        starts: Where each group's table begins, shape (n_groups + 1,). It has one
            row for each pattern of the group's own splits, and one entry in it for
            each column.
    """

    slots: NDArray[np.int32]
    thresholds: NDArray[np.float32]
    columns: NDArray[np.int32]
    starts: NDArray[np.int64]


def list_groups(trees: Trees) -> list[Group]:
    """Cut the trees into groups of neighbouring leaves, at most four each.

    Raises:
        ArtifactError: If a tree is deeper than `MAX_DEPTH`.
    """
    depth = trees.depth()
    if depth > MAX_DEPTH:
        raise ArtifactError(
            f"trees are {depth} splits deep; reasons need at most {MAX_DEPTH}"
        )
    heights = _heights(trees)
    return [
        _group_at(trees, node, path)
        for root in trees.roots
        for node, path in _group_roots(trees, heights, int(root))
    ]


def _heights(trees: Trees) -> NDArray[np.int64]:
    """Splits on the longest way down from each node."""
    heights = np.zeros(len(trees.left), dtype=np.int64)
    for node in np.flatnonzero(~trees.is_leaf)[::-1]:  # children before parents
        child = trees.left[node]
        heights[node] = 1 + max(heights[child], heights[child + 1])
    return heights


_Path = tuple[tuple[int, bool], ...]


def _group_roots(
    trees: Trees, heights: NDArray[np.int64], node: int, path: _Path = ()
) -> Iterator[tuple[int, _Path]]:
    """Give the topmost nodes that are low enough, with the way down to each."""
    if heights[node] <= _GROUP_HEIGHT:
        yield node, path
        return
    child = int(trees.left[node])
    yield from _group_roots(trees, heights, child, (*path, (node, True)))
    yield from _group_roots(trees, heights, child + 1, (*path, (node, False)))


def _leaves(trees: Trees, node: int, path: _Path) -> Iterator[tuple[int, _Path]]:
    child = int(trees.left[node])
    if child < node:
        yield node, path
        return
    yield from _leaves(trees, child, (*path, (node, True)))
    yield from _leaves(trees, child + 1, (*path, (node, False)))


def _group_at(trees: Trees, root: int, path: _Path) -> Group:
    found = list(_leaves(trees, root, path))
    nodes = sorted({node for _, way in found for node, _ in way})
    return Group(
        nodes=nodes,
        columns=sorted({int(trees.feature[node]) for node in nodes}),
        leaves=[_leaf(trees, node, way) for node, way in found],
    )


def _leaf(trees: Trees, node: int, path: _Path) -> Leaf:
    conditions: dict[int, list[tuple[int, bool]]] = {}
    for split, goes_left in path:
        conditions.setdefault(int(trees.feature[split]), []).append((split, goes_left))
    return Leaf(float(trees.value[node]), conditions)


def flatten(listed: list[Group], trees: Trees, n_features: int) -> FlatGroups:
    """Lay groups out as arrays for the kernels."""
    of_node = trees.slots(n_features)
    n_splits = max(len(group.nodes) for group in listed)
    n_columns = max(len(group.columns) for group in listed)
    slots = np.zeros((n_splits, len(listed)), np.int32)
    thresholds = np.full((n_splits, len(listed)), -np.inf, np.float32)
    columns = np.zeros((len(listed), n_columns), np.int32)
    for place, group in enumerate(listed):
        slots[: len(group.nodes), place] = of_node[group.nodes]
        thresholds[: len(group.nodes), place] = trees.threshold[group.nodes]
        columns[place, : len(group.columns)] = group.columns
    sizes = [0, *(n_columns << len(group.nodes) for group in listed)]
    return FlatGroups(slots, thresholds, columns, np.cumsum(np.array(sizes, np.int64)))
