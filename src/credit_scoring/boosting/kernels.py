"""The compiled loops over rows, trees and groups.

All of them stand in one file: numba compiles anew what stands in a changed file,
but does not notice a change in another file that a kernel calls into.

Places are unsigned where it counts: with others the machine code looks first whether
each one counts from the end, which takes a quarter of the time.
"""

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled

_WORD = 32


@compiled
def fill_row(
    x: NDArray[np.float64],
    row: int,
    sets: NDArray[np.int64],
    prepared: NDArray[np.float32],
) -> None:
    """Write a row as float32 so that one comparison serves every kind of split.

    First with minus infinity where a value is missing, then with plus infinity:
    a split whose missing values go left looks into the first half, another one
    into the second. Behind them stands for each split by category minus infinity
    if the row goes left there, else plus infinity.

    Args:
        x: Feature matrix, shape (n, n_features).
        row: Which row of it.
        sets: The splits by category, see `Trees.sets`.
        prepared: Written here, shape (2 * n_features + n_sets,).
    """
    n_features = x.shape[1]
    for column in range(n_features):
        value = np.float32(x[row, column])
        missing = np.isnan(value)
        prepared[column] = -np.inf if missing else value
        prepared[n_features + column] = np.inf if missing else value
    for split in range(sets.shape[0]):
        value = np.float32(x[row, sets[split, 0]])
        left = True
        if np.isnan(value):
            left = sets[split, 1] == 1
        elif 0 <= value < _WORD * (sets.shape[1] - 2):
            code = np.int64(value)
            left = (sets[split, 2 + code // _WORD] >> (code % _WORD)) & 1 == 0
        prepared[2 * n_features + split] = -np.inf if left else np.inf


@compiled
def walk_trees(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    x: NDArray[np.float64],
    sets: NDArray[np.int64],
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
    prepared = np.empty(2 * x.shape[1] + len(sets), dtype=np.float32)
    for row in range(x.shape[0]):
        fill_row(x, row, sets, prepared)
        for tree in range(n_trees):
            place[tree] = roots[tree]
        for _ in range(depth):
            for number in range(n_trees):
                at = np.uintp(number)
                node = np.uintp(place[at])
                slot = np.uintp(slots[node])
                right = np.int32(not prepared[slot] < threshold[node])
                place[at] = left[node] + right
        total = base_margin
        for tree in range(n_trees):
            total = np.float32(total + value[np.uintp(place[tree])])
        margin[row] = total


@compiled
def find_patterns(
    prepared: NDArray[np.float32],
    slots: NDArray[np.int32],
    thresholds: NDArray[np.float32],
    patterns: NDArray[np.int32],
) -> None:
    """Write a row's pattern of outcomes in each group: bit k is split k's "left".

    Split by split and not group by group: the inner loop has no branch, and the
    compiler does several groups at a time.
    """
    patterns[:] = 0
    for split in range(slots.shape[0]):
        at = np.uintp(split)
        for number in range(slots.shape[1]):
            group = np.uintp(number)
            left = prepared[np.uintp(slots[at, group])] < thresholds[at, group]
            patterns[group] |= np.int32(left) << split


@compiled
def count_patterns(
    x: NDArray[np.float64],
    sets: NDArray[np.int64],
    slots: NDArray[np.int32],
    thresholds: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> None:
    """Count how many rows have each pattern of outcomes in each group."""
    prepared = np.empty(2 * x.shape[1] + len(sets), dtype=np.float32)
    patterns = np.empty(slots.shape[1], dtype=np.int32)
    for row in range(x.shape[0]):
        fill_row(x, row, sets, prepared)
        find_patterns(prepared, slots, thresholds, patterns)
        for group in range(len(patterns)):
            counts[group, patterns[group]] += 1


@compiled
def explain_rows(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    x: NDArray[np.float64],
    sets: NDArray[np.int64],
    slots: NDArray[np.int32],
    thresholds: NDArray[np.float32],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    table: NDArray[np.float32],
    values: NDArray[np.float64],
) -> None:
    """Add each group's table row to the Shapley values, group by group."""
    prepared = np.empty(2 * x.shape[1] + len(sets), dtype=np.float32)
    patterns = np.empty(slots.shape[1], dtype=np.int32)
    width = columns.shape[1]
    for row in range(x.shape[0]):
        fill_row(x, row, sets, prepared)
        find_patterns(prepared, slots, thresholds, patterns)
        at = np.uintp(row)
        for number in range(len(patterns)):
            group = np.uintp(number)
            entry = np.uintp(starts[group] + patterns[group] * width)
            for place in range(width):
                column = np.uintp(columns[group, np.uintp(place)])
                values[at, column] += np.float64(table[entry + np.uintp(place)])
