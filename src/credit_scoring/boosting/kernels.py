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


@compiled
def _fill_columns(
    x: NDArray[np.float64],
    start: int,
    rows: int,
    slots: NDArray[np.int32],
    prepared: NDArray[np.float32],
) -> None:
    """Write the slots of `fill_row` that splits look at, several rows at once."""
    n_features = x.shape[1]
    for number in range(len(slots)):
        slot = np.uintp(slots[number])
        below = slots[number] < n_features
        column = np.uintp(slots[number] - (0 if below else n_features))
        missing = np.float32(-np.inf if below else np.inf)
        for row in range(rows):
            value = np.float32(x[np.uintp(start + row), column])
            prepared[slot, np.uintp(row)] = missing if np.isnan(value) else value


@compiled
def _note_left(
    lane: NDArray[np.float32],
    threshold: np.float32,
    bit: np.int32,
    patterns: NDArray[np.int32],
) -> None:
    """Set a bit in the pattern of each row that goes left at one split."""
    for row in range(len(patterns)):
        at = np.uintp(row)
        patterns[at] |= bit if lane[at] < threshold else np.int32(0)


@compiled
def _add_entries(
    table: NDArray[np.float32],
    first: int,
    width: int,
    patterns: NDArray[np.int32],
    values: NDArray[np.float64],
) -> None:
    """Add what a group's table says of one column for each row's pattern."""
    for row in range(len(values)):
        at = np.uintp(row)
        entry = np.uintp(first + patterns[at] * width)
        values[at] += np.float64(table[entry])


@compiled
def explain_many_rows(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    x: NDArray[np.float64],
    used: NDArray[np.int32],
    slots: NDArray[np.int32],
    thresholds: NDArray[np.float32],
    columns: NDArray[np.int32],
    starts: NDArray[np.int64],
    table: NDArray[np.float32],
    values: NDArray[np.float64],
    block_rows: int,
) -> None:
    """Add up Shapley values as `explain_rows` does, many rows at a time.

    Group by group over a block of rows, whose columns and the group's table stay in
    the processor's cache. The compiler compares eight rows with one instruction, and
    a column's sum does not wait for the same row's others. A row's entries are added
    in the same order, so the bits are the same.

    Args:
        x: Feature matrix, shape (n, n_features).
        used: Slots that some split looks at; see `fill_row`, without categories.
        slots: See `FlatGroups`, as the next three.
        thresholds: See there.
        columns: See there.
        starts: See there.
        table: Tables of all groups.
        values: Written here, shape (n, n_features).
        block_rows: Rows at a time.
    """
    n_features = x.shape[1]
    prepared = np.zeros((2 * n_features, block_rows), dtype=np.float32)
    patterns = np.empty(block_rows, dtype=np.int32)
    sums = np.empty((n_features, block_rows))
    width = columns.shape[1]
    for start in range(0, x.shape[0], block_rows):
        rows = min(block_rows, x.shape[0] - start)
        _fill_columns(x, start, rows, used, prepared)
        sums[:] = 0.0
        for group in range(slots.shape[1]):
            patterns[:] = 0
            for split in range(slots.shape[0]):
                lane = prepared[slots[split, group]]
                _note_left(
                    lane, thresholds[split, group], np.int32(1 << split), patterns
                )
            for place in range(width):
                column = columns[group, place]
                if place > 0 and column == 0:
                    break  # What follows fills the group's row up with zeros.
                _add_entries(
                    table, starts[group] + place, width, patterns, sums[column]
                )
        for row in range(rows):
            at = np.uintp(row)
            for number in range(n_features):
                of_row = np.uintp(start + row), np.uintp(number)
                values[of_row] = sums[np.uintp(number), at]


@compiled
def _choose_leaves(  # noqa: PLR0913, PLR0917 - columns one by one: numba sees no overlap
    upper: NDArray[np.float32],
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    leaves: NDArray[np.float32],
    found: NDArray[np.float32],
) -> None:
    """Give each row's leaf of two levels of splits, without a branch."""
    first, second, third = thresholds[0], thresholds[1], thresholds[2]
    a, b, c, d = leaves[0], leaves[1], leaves[2], leaves[3]
    for row in range(len(found)):
        at = np.uintp(row)
        of_left = a if left[at] < second else b
        of_right = c if right[at] < third else d
        found[at] = of_left if upper[at] < first else of_right


@compiled
def _choose_values(  # noqa: PLR0913, PLR0917 - as above
    upper: NDArray[np.float32],
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    values: NDArray[np.float32],
    found: NDArray[np.float32],
) -> None:
    """Give each row's value, found in what hangs below two levels of splits."""
    first, second, third = thresholds[0], thresholds[1], thresholds[2]
    a, b, c, d = values[0], values[1], values[2], values[3]
    for row in range(len(found)):
        at = np.uintp(row)
        va, vb, vc, vd = a[at], b[at], c[at], d[at]
        of_left = va if left[at] < second else vb
        of_right = vc if right[at] < third else vd
        found[at] = of_left if upper[at] < first else of_right


@compiled
def walk_whole_trees(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    x: NDArray[np.float64],
    used: NDArray[np.int32],
    slots: NDArray[np.int32],
    thresholds: NDArray[np.float32],
    leaves: NDArray[np.float32],
    base_margin: np.float32,
    margin: NDArray[np.float64],
    block_rows: int,
) -> None:
    """Add up each row's leaves as `walk_trees` does, many rows at a time.

    Every split of a tree is asked for every row, which costs less than following a
    path: the compiler does eight rows with one instruction. A row's leaves are added
    in the same order, so the bits are the same.

    Args:
        x: Feature matrix, shape (n, n_features).
        used: Slots that some split looks at; see `fill_row`, without categories.
        slots: Splits by level, pairs of levels at a time, see `WholeTrees`.
        thresholds: Of the same.
        leaves: Shape (n_trees, n_leaves), the leaves from left to right.
        base_margin: Where each sum starts.
        margin: Written here, shape (n,).
        block_rows: Rows at a time.
    """
    prepared = np.zeros((2 * x.shape[1], block_rows), dtype=np.float32)
    n_lowest = leaves.shape[1] // 4
    lanes = np.empty((2, n_lowest, block_rows), dtype=np.float32)
    total = np.empty(block_rows, dtype=np.float32)
    for start in range(0, x.shape[0], block_rows):
        rows = min(block_rows, x.shape[0] - start)
        _fill_columns(x, start, rows, used, prepared)
        total[:] = base_margin
        for tree in range(leaves.shape[0]):
            of_tree, bounds = slots[tree], thresholds[tree]
            for place in range(n_lowest):
                at = of_tree[place]
                _choose_leaves(
                    prepared[at[0]],
                    prepared[at[1]],
                    prepared[at[2]],
                    bounds[place],
                    leaves[tree, 4 * place : 4 * place + 4],
                    lanes[0, place],
                )
            side, done, left = 0, n_lowest, n_lowest
            while left > 1:
                left //= 4
                for place in range(left):
                    at = of_tree[done + place]
                    _choose_values(
                        prepared[at[0]],
                        prepared[at[1]],
                        prepared[at[2]],
                        bounds[done + place],
                        lanes[side, 4 * place : 4 * place + 4],
                        lanes[1 - side, place],
                    )
                done += left
                side = 1 - side
            chosen = lanes[side, 0]
            for row in range(block_rows):
                total[row] = np.float32(total[row] + chosen[row])
        for row in range(rows):
            margin[start + row] = total[row]
