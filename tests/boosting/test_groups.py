import numpy as np
import pytest

from credit_scoring.boosting.conversion import ensemble_from_booster
from credit_scoring.boosting.groups import flatten, list_groups


@pytest.mark.parametrize("depth", [1, 2, 4, 6])
def test_every_leaf_is_in_one_group_of_at_most_four(sample, grow_trees, depth):
    booster = grow_trees(sample, n_trees=10, max_depth=depth)
    trees = ensemble_from_booster(booster, sample.names, [sample.x]).trees
    groups = list_groups(trees)
    values = sorted(leaf.value for group in groups for leaf in group.leaves)
    assert values == sorted(trees.value[trees.is_leaf].tolist())
    assert all(len(group.leaves) <= 4 for group in groups)
    assert all(len(group.nodes) <= trees.depth() + 1 for group in groups)


def test_a_leafs_conditions_are_those_of_its_path(ensemble, sample):
    trees = ensemble.trees
    leaf = list_groups(trees)[0].leaves[0]
    node, conditions = 0, []
    while not trees.is_leaf[node]:
        conditions.append((int(trees.feature[node]), node, True))
        node = int(trees.left[node])
    found = [(c, n, left) for c, asked in leaf.conditions.items() for n, left in asked]
    assert sorted(found) == sorted(conditions)
    assert leaf.value == trees.value[node]


def test_the_arrays_hold_the_groups_side_by_side(ensemble, sample):
    trees, n_features = ensemble.trees, len(sample.names)
    groups = list_groups(trees)
    flat = flatten(groups, trees, n_features)
    width = flat.columns.shape[1]
    assert width == max(len(group.columns) for group in groups)
    for place, group in enumerate(groups):
        n = len(group.nodes)
        assert (flat.slots[:n, place] == trees.slots(n_features)[group.nodes]).all()
        assert (flat.thresholds[:n, place] == trees.threshold[group.nodes]).all()
        assert (flat.thresholds[n:, place] == -np.inf).all()
        assert flat.columns[place, : len(group.columns)].tolist() == group.columns
    sizes = [width * 2 ** len(group.nodes) for group in groups]
    assert np.diff(flat.starts).tolist() == sizes
