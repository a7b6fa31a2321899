import numpy as np
import pytest

from credit_scoring.boosting.conversion import ensemble_from_booster
from credit_scoring.boosting.groups import flatten, list_groups


@pytest.mark.parametrize("depth", [1, 2, 4, 6])
def test_every_leaf_is_in_one_group_of_at_most_four(sample, grow_trees, depth):
    booster = grow_trees(sample, n_trees=10, max_depth=depth)
    trees = ensemble_from_booster(booster, sample.names, sample.x).trees
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


def test_the_flat_arrays_hold_the_groups_one_after_another(ensemble, sample):
    groups = list_groups(ensemble.trees)
    flat = flatten(groups, ensemble.trees, len(sample.names))
    assert np.diff(flat.node_start).tolist() == [len(g.nodes) for g in groups]
    assert np.diff(flat.column_start).tolist() == [len(g.columns) for g in groups]
    sizes = [len(g.columns) * 2 ** len(g.nodes) for g in groups]
    assert np.diff(flat.table_start).tolist() == sizes
    first = slice(0, len(groups[0].nodes))
    assert (flat.thresholds[first] == ensemble.trees.threshold[groups[0].nodes]).all()
