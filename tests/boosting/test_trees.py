import dataclasses

import numpy as np
import pytest

from credit_scoring.boosting.trees import Trees, fill_row, read_arrays, walk_trees
from credit_scoring.errors import ArtifactError


def stump_and_leaf() -> Trees:
    """Left below 2.5 gives -1, right 1, missing goes right; then always 0.25."""
    return Trees(
        feature=np.array([1, 0, 0, 0], dtype=np.int32),
        threshold=np.array([2.5, -np.inf, -np.inf, -np.inf], dtype=np.float32),
        left=np.array([1, 0, 1, 2], dtype=np.int32),
        default_left=np.zeros(4, dtype=np.uint8),
        value=np.array([0, -1, 1, 0.25], dtype=np.float32),
        roots=np.array([0, 3], dtype=np.int32),
    )


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
def test_rows_go_left_below_the_threshold_and_missing_ones_by_default(function):
    assert walk(stump_and_leaf(), ROWS, function) == [-0.25, 1.75, 1.75, -0.25, 1.75]


@pytest.mark.parametrize("function", [walk_trees, walk_trees.py_func])
def test_missing_values_go_left_where_that_is_the_default(function):
    trees = stump_and_leaf()
    default_left = np.array([1, 0, 0, 0], dtype=np.uint8)
    trees = dataclasses.replace(trees, default_left=default_left)
    assert walk(trees, ROWS, function) == [-0.25, 1.75, -0.25, -0.25, 1.75]


def test_a_row_is_prepared_for_both_defaults():
    prepared = np.empty(4, dtype=np.float32)
    fill_row.py_func(np.array([[1.5, np.nan]]), 0, prepared)
    assert prepared.tolist() == [1.5, -np.inf, 1.5, np.inf]


def test_leaves_and_depth():
    trees = stump_and_leaf()
    assert trees.is_leaf.tolist() == [False, True, True, True]
    assert trees.depth() == 1
    trees.check(2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left": [1, 0, 1, 9]}, "1 of 4 nodes are not valid; first at 3"),
        ({"left": [3, 0, 1, 2]}, "1 of 4 nodes are not valid; first at 0"),
        ({"left": [0, 0, 1, 2]}, "1 of 4 nodes are not valid; first at 0"),
        ({"feature": [2, 0, 0, 0]}, "nodes are not valid; first at 0"),
        ({"feature": [-1, 0, 0, 0]}, "nodes are not valid; first at 0"),
        ({"threshold": [np.nan, -np.inf, -np.inf, -np.inf]}, "not valid; first at 0"),
        ({"threshold": [2.5, 0, -np.inf, -np.inf]}, "not valid; first at 1"),
        ({"default_left": [0, 1, 0, 0]}, "not valid; first at 1"),
        ({"value": [0, -1, np.inf, 1]}, "not valid; first at 2"),
        ({"value": [0, -1]}, "arrays are empty or differ in length"),
        ({"roots": []}, "arrays are empty or differ in length"),
        ({"roots": [0, 0]}, "roots do not rise"),
        ({"roots": [1, 3]}, "roots do not rise"),
        ({"roots": [0, 4]}, "roots do not rise"),
    ],
)
def test_arrays_that_a_walk_could_not_survive_are_refused(change, message):
    trees = stump_and_leaf()
    (name, values), *_ = change.items()
    array = np.array(values, dtype=getattr(trees, name).dtype)
    with pytest.raises(ArtifactError, match=message):
        dataclasses.replace(trees, **{name: array}).check(2)


def test_arrays_of_another_type_are_refused():
    trees = dataclasses.replace(stump_and_leaf(), value=np.zeros(4))
    with pytest.raises(ArtifactError, match=r"value is float64 .* expected float32"):
        trees.check(2)


def test_written_trees_are_read_back(tmp_path):
    trees = stump_and_leaf()
    trees.write(tmp_path / "trees.npz")
    again = Trees.read(tmp_path / "trees.npz", 2)
    for field in dataclasses.fields(Trees):
        assert (getattr(again, field.name) == getattr(trees, field.name)).all()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"trees\.npz cannot be read"):
        Trees.read(tmp_path / "trees.npz", 2)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x93NUMPY"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "trees.npz").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"trees\.npz cannot be read"):
        Trees.read(tmp_path / "trees.npz", 2)


def test_a_single_array_is_no_archive(tmp_path):
    with (tmp_path / "trees.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ArtifactError, match="cannot be read: not an archive"):
        Trees.read(tmp_path / "trees.npz", 2)


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "trees.npz"
    stump_and_leaf().write(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match=r"trees\.npz cannot be read"):
        Trees.read(path, 2)


def test_pickled_arrays_are_refused(tmp_path):
    path = tmp_path / "trees.npz"
    np.savez(path, value=np.array([{}], dtype=object))
    with pytest.raises(ArtifactError, match=r"cannot be read.*allow_pickle"):
        read_arrays(path, ("value",))


def test_other_arrays_are_refused(tmp_path):
    path = tmp_path / "trees.npz"
    np.savez(path, value=np.zeros(1), more=np.zeros(1))
    with pytest.raises(ArtifactError, match="holds more, value; expected left, value"):
        read_arrays(path, ("value", "left"))
