import dataclasses

import numpy as np
import pytest

from credit_scoring.boosting.kernels import (
    count_patterns,
    explain_rows,
    fill_row,
    walk_trees,
)
from credit_scoring.boosting.trees import Trees


def walk(trees: Trees, x, function=walk_trees):
    x = np.array(x, dtype=np.float64)
    margin = np.empty(len(x))
    function(
        x,
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


def test_a_row_is_prepared_for_both_defaults():
    prepared = np.empty(4, dtype=np.float32)
    fill_row.py_func(np.array([[1.5, np.nan]]), 0, prepared)
    assert prepared.tolist() == [1.5, -np.inf, 1.5, np.inf]


def test_interpreted_kernels_give_the_compiled_bits(ensemble, sample):
    x, tables = sample.x[:40], ensemble.with_background(sample.x[:60]).tables
    groups = tables.groups
    counted, again = np.zeros((2, len(groups.node_start) - 1, 128), dtype=np.int64)
    path = (groups.node_start, groups.slots, groups.thresholds)
    count_patterns(x, *path, counted)
    count_patterns.py_func(x, *path, again)
    assert (counted == again).all()
    assert (counted.sum(axis=1) == 40).all()
    values = np.zeros(x.shape)
    explain_rows.py_func(
        x,
        *path,
        groups.column_start,
        groups.columns,
        groups.table_start,
        tables.table,
        values,
    )
    assert (values.view("u8") == tables.contributions(x).view("u8")).all()
