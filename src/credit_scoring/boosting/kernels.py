"""The compiled loops over rows, trees and groups.

All of them stand in one file: numba compiles anew what stands in a changed file,
but does not notice a change in another file that a kernel calls into.
"""

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled


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


@compiled
def count_patterns(
    x: NDArray[np.float64],
    node_start: NDArray[np.int64],
    slots: NDArray[np.int32],
    thresholds: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> None:
    """Count how many rows have each pattern of outcomes in each group."""
    prepared = np.empty(2 * x.shape[1], dtype=np.float32)
    for row in range(x.shape[0]):
        fill_row(x, row, prepared)
        for group in range(len(node_start) - 1):
            first = node_start[group]
            pattern = 0
            for node in range(first, node_start[group + 1]):
                went_left = np.int64(prepared[slots[node]] < thresholds[node])
                pattern |= went_left << (node - first)
            counts[group, pattern] += 1


@compiled
def explain_rows(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    x: NDArray[np.float64],
    node_start: NDArray[np.int64],
    slots: NDArray[np.int32],
    thresholds: NDArray[np.float32],
    column_start: NDArray[np.int64],
    columns: NDArray[np.int32],
    table_start: NDArray[np.int64],
    table: NDArray[np.float32],
    values: NDArray[np.float64],
) -> None:
    """Add each group's table row to the Shapley values, group by group."""
    prepared = np.empty(2 * x.shape[1], dtype=np.float32)
    for row in range(x.shape[0]):
        fill_row(x, row, prepared)
        for group in range(len(node_start) - 1):
            first = node_start[group]
            pattern = 0
            for node in range(first, node_start[group + 1]):
                went_left = np.int64(prepared[slots[node]] < thresholds[node])
                pattern |= went_left << (node - first)
            start = column_start[group]
            width = column_start[group + 1] - start
            entry = table_start[group] + pattern * width
            for place in range(width):
                values[row, columns[start + place]] += np.float64(table[entry + place])
