import dataclasses

import numpy as np
import pytest

from credit_scoring.boosting import kernels
from credit_scoring.boosting.kernels import (
    count_patterns,
    explain_many_rows,
    explain_rows,
    fill_row,
    find_patterns,
    walk_trees,
)
from credit_scoring.boosting.trees import Trees


def walk(trees: Trees, x, function=walk_trees):
    x = np.array(x, dtype=np.float64)
    margin = np.empty(len(x))
    function(
        x,
        trees.sets,
        trees.slots(x.shape[1]),
        trees.threshold,
        trees.left,
        trees.value,
        trees.roots,
        trees.depth(),
        np.float32(0.5),
        margin,
    )
    return margin.tolist()


ROWS = [[9, 2.4], [9, 2.5], [9, np.nan], [np.nan, -np.inf], [0, np.inf]]


@pytest.mark.parametrize("function", [walk_trees, walk_trees.py_func])
def test_rows_go_left_below_the_threshold_and_missing_ones_by_default(stump, function):
    assert walk(stump, ROWS, function) == [-0.25, 1.75, 1.75, -0.25, 1.75]


@pytest.mark.parametrize("function", [walk_trees, walk_trees.py_func])
def test_missing_values_go_left_where_that_is_the_default(stump, function):
    trees = stump
    default_left = np.array([1, 0, 0, 0], dtype=np.uint8)
    trees = dataclasses.replace(trees, default_left=default_left)
    assert walk(trees, ROWS, function) == [-0.25, 1.75, -0.25, -0.25, 1.75]


NO_SETS = np.zeros((0, 3), dtype=np.int64)


def test_a_row_is_prepared_for_both_defaults():
    prepared = np.empty(4, dtype=np.float32)
    fill_row.py_func(np.array([[1.5, np.nan]]), 0, NO_SETS, prepared)
    assert prepared.tolist() == [1.5, -np.inf, 1.5, np.inf]


LEFT, RIGHT = -np.inf, np.inf


@pytest.mark.parametrize("function", [fill_row, fill_row.py_func])
@pytest.mark.parametrize(
    ("value", "sides"),
    [
        (0.0, [LEFT, RIGHT]),
        (3.0, [RIGHT, LEFT]),
        (3.9, [RIGHT, LEFT]),
        (33.0, [RIGHT, LEFT]),
        (-1.0, [LEFT, LEFT]),
        (64.0, [LEFT, LEFT]),
        (1e30, [LEFT, LEFT]),
        (np.inf, [LEFT, LEFT]),
        (np.nan, [LEFT, RIGHT]),
    ],
)
def test_a_category_goes_right_if_it_is_in_the_set(function, value, sides):
    # Feature 1; missing values left, then right; {3, 33}, then {0}.
    sets = np.array([[1, 1, 1 << 3, 1 << 1], [1, 0, 1, 0]], dtype=np.int64)
    prepared = np.empty(6, dtype=np.float32)
    function(np.array([[7.0, value]]), 0, sets, prepared)
    assert prepared[4:].tolist() == sides


def test_interpreted_kernels_give_the_compiled_bits(ensemble, sample):
    x, tables = sample.x[:40], ensemble.with_background(sample.x[:60]).tables
    groups = tables.groups
    counted, again = np.zeros((2, groups.slots.shape[1], 128), dtype=np.int64)
    splits = (tables.sets, groups.slots, groups.thresholds)
    count_patterns(x, *splits, counted)
    count_patterns.py_func(x, *splits, again)
    assert (counted == again).all()
    assert (counted.sum(axis=1) == 40).all()
    values = np.zeros(x.shape)
    path = (groups.columns, groups.starts, tables.table)
    explain_rows.py_func(x, *splits, *path, values)
    assert (values.view("u8") == tables.contributions(x).view("u8")).all()


@pytest.mark.parametrize("n", [1, 255, 256, 700])
def test_many_rows_are_explained_with_the_bits_of_one_after_another(
    ensemble, sample, n
):
    tables = ensemble.with_background(sample.x[:60]).tables
    x = sample.x[:n]
    one_by_one = np.vstack([tables.contributions(x[at : at + 1]) for at in range(n)])
    assert explained_together(tables, x).tobytes() == one_by_one.tobytes()


def test_the_interpreted_form_explains_many_rows_alike(ensemble, sample, monkeypatch):
    tables = ensemble.with_background(sample.x[:60]).tables
    x = sample.x[:20]
    expected = explained_together(tables, x)
    for name in ("_fill_columns", "_note_left", "_add_entries"):
        monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)
    found = explained_together(tables, x, explain_many_rows.py_func)
    assert found.tobytes() == expected.tobytes()


def explained_together(tables, x, function=explain_many_rows):
    groups = tables.groups
    values = np.full(x.shape, np.nan)
    function(
        np.ascontiguousarray(x),
        np.unique(groups.slots),
        groups.slots,
        groups.thresholds,
        groups.columns,
        groups.starts,
        tables.table,
        values,
        64,
    )
    return values


def test_a_pattern_has_a_bit_for_each_split_that_sends_left():
    slots = np.array([[0, 1], [1, 0], [0, 0]], dtype=np.int32)
    thresholds = np.array([[2, 2], [2, 2], [-np.inf, 9]], dtype=np.float32)
    for function in (find_patterns, find_patterns.py_func):
        patterns = np.full(2, 77, dtype=np.int32)
        function(np.array([1, 5], np.float32), slots, thresholds, patterns)
        assert patterns.tolist() == [0b001, 0b110]
