import dataclasses

import numpy as np
import pytest

from credit_scoring.boosting.trees import Trees, read_arrays
from credit_scoring.errors import ArtifactError


def test_leaves_and_depth(stump):
    trees = stump
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
def test_arrays_that_a_walk_could_not_survive_are_refused(stump, change, message):
    trees = stump
    (name, values), *_ = change.items()
    array = np.array(values, dtype=getattr(trees, name).dtype)
    with pytest.raises(ArtifactError, match=message):
        dataclasses.replace(trees, **{name: array}).check(2)


def test_arrays_of_another_type_are_refused(stump):
    trees = dataclasses.replace(stump, value=np.zeros(4))
    with pytest.raises(ArtifactError, match=r"value is float64 .* expected float32"):
        trees.check(2)


@pytest.mark.parametrize(
    ("nodes", "words", "message"),
    [
        (np.array([0]), [[1]], "not of the right type"),
        (np.array([0], "i4"), [1], "not of the right type"),
        (np.array([0], "i4"), [[1], [2]], "differ in number"),
        (np.array([0], "i4"), [[]], "differ in number"),
        (np.array([4], "i4"), [[1]], "do not rise"),
        (np.array([-1], "i4"), [[1]], "do not rise"),
        (np.array([0, 0], "i4"), [[1], [1]], "do not rise"),
        (np.array([1], "i4"), [[1]], "are not splits"),
        (np.array([0], "i4"), [[1]], "are not splits"),
    ],
)
def test_sets_of_categories_that_belong_to_no_split_are_refused(
    stump, nodes, words, message
):
    words = np.array(words, dtype=np.uint32)
    with pytest.raises(ArtifactError, match=message):
        dataclasses.replace(stump, category_nodes=nodes, category_words=words).check(2)


def test_a_split_by_category_has_a_place_of_its_own(stump):
    trees = dataclasses.replace(
        stump,
        threshold=np.array([0, -np.inf, -np.inf, -np.inf], dtype=np.float32),
        category_nodes=np.array([0], dtype=np.int32),
        category_words=np.array([[5, 2**31]], dtype=np.uint32),
    )
    trees.check(2)
    assert trees.slots(2).tolist() == [4, 2, 2, 2]
    assert trees.sets.tolist() == [[1, 0, 5, 2**31]]


def test_written_trees_are_read_back(stump, tmp_path):
    trees = stump
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


def test_a_truncated_file_is_named(stump, tmp_path):
    path = tmp_path / "trees.npz"
    stump.write(path)
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
