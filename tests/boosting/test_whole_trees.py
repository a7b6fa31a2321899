"""Many rows together give the bits that they give one after another."""

import numpy as np
import pytest

from credit_scoring.boosting import kernels, whole_trees
from credit_scoring.boosting.kernels import walk_trees
from credit_scoring.boosting.trees import Trees
from credit_scoring.boosting.whole_trees import WholeTrees

FEATURES = 5


def grown(depth: int, n_trees: int, seed: int) -> Trees:
    """Random trees; a path may end anywhere from its second split on."""
    generator = np.random.default_rng(seed)
    feature, threshold, left, default, value = [], [], [], [], []
    roots = []
    for _ in range(n_trees):
        roots.append(len(left))
        level = [0]
        nodes = [0]
        for fields in (feature, threshold, left, default, value):
            fields.append(0)
        offset = roots[-1]
        for deep in range(depth + 1):
            following = []
            for node in level:
                at = offset + node
                ends = deep == depth or (deep > 1 and generator.random() < 0.3)
                if ends:
                    threshold[at], left[at] = -np.inf, at - 1
                    value[at] = generator.normal()
                    continue
                feature[at] = int(generator.integers(FEATURES))
                threshold[at] = generator.normal()
                default[at] = int(generator.integers(2))
                left[at] = offset + len(nodes)
                for _ in range(2):
                    following.append(len(nodes))
                    nodes.append(0)
                    for fields in (feature, threshold, left, default, value):
                        fields.append(0)
            level = following
    trees = Trees(
        feature=np.array(feature, np.int32),
        threshold=np.array(threshold, np.float32),
        left=np.array(left, np.int32),
        default_left=np.array(default, np.uint8),
        value=np.array(value, np.float32),
        roots=np.array(roots, np.int32),
    )
    trees.check(FEATURES)
    return trees


def rows_with_gaps(n: int) -> np.ndarray:
    x = np.random.default_rng(1).normal(size=(n, FEATURES))
    x[np.random.default_rng(2).random(x.shape) < 0.2] = np.nan
    x[0, 0], x[1, 1] = np.inf, -np.inf
    return x


def walked(trees: Trees, x: np.ndarray) -> np.ndarray:
    margin = np.empty(len(x))
    walk_trees(
        x,
        trees.sets,
        trees.slots(FEATURES),
        trees.threshold,
        trees.left,
        trees.value,
        trees.roots,
        trees.depth(),
        np.float32(0.25),
        margin,
    )
    return margin


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("n", [1, 256, 700])
def test_the_bits_are_those_of_a_walk(depth: int, n: int) -> None:
    trees = grown(depth, 13, depth)
    whole = WholeTrees.of(trees, FEATURES)
    assert whole is not None
    x = rows_with_gaps(max(n, 2))[:n]
    found = whole.margin(x, np.float32(0.25))
    assert found.tobytes() == walked(trees, x).tobytes()


def test_python_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_fill_columns", "_choose_leaves", "_choose_values"):
        monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)
    kernel = kernels.walk_whole_trees.py_func  # type: ignore[attr-defined]
    monkeypatch.setattr(whole_trees, "walk_whole_trees", kernel)
    trees = grown(4, 3, 9)
    whole = WholeTrees.of(trees, FEATURES)
    assert whole is not None
    x = rows_with_gaps(40)
    found = whole.margin(x, np.float32(0.25))
    assert found.tobytes() == walked(trees, x).tobytes()


def test_trees_that_are_too_deep_are_walked() -> None:
    assert WholeTrees.of(grown(7, 2, 1), FEATURES) is None
