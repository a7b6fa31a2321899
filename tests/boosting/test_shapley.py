import importlib
import warnings
from itertools import combinations
from math import factorial

import numpy as np
import pytest
import xgboost

from credit_scoring.boosting.conversion import ensemble_from_booster
from credit_scoring.errors import ArtifactError


@pytest.fixture(scope="module")
def shap():
    with warnings.catch_warnings():
        # Its plots, which nobody asks for here, use what matplotlib is to drop.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return importlib.import_module("shap")


def enumerated(margin, x, background):
    """Shapley values by their definition: every coalition, every background row."""
    n = len(x)
    worth = {}
    for size in range(n + 1):
        for taken in combinations(range(n), size):
            rows = background.copy()
            rows[:, list(taken)] = x[list(taken)]
            worth[taken] = margin(rows).mean()
    values = np.zeros(n)
    for taken, value in worth.items():
        for feature in set(range(n)) - set(taken):
            weight = factorial(len(taken)) * factorial(n - len(taken) - 1)
            joined = tuple(sorted((*taken, feature)))
            values[feature] += weight / factorial(n) * (worth[joined] - value)
    return values


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_contributions_equal_the_definition(sample, grow_trees, depth):
    booster = grow_trees(sample, n_trees=6, max_depth=depth)
    model = ensemble_from_booster(booster, sample.names, [sample.x])
    background = sample.x[1_000:1_040]
    found = model.with_background(background).contributions(sample.x[:25])
    for row in range(25):
        expected = enumerated(model.margin, sample.x[row], background)
        assert found[row] == pytest.approx(expected, abs=2e-6)


def test_contributions_equal_the_definition_where_trees_split_by_category():
    rng = np.random.default_rng(23)
    x = rng.integers(0, 40, (2_000, 4)).astype(np.float64)
    x[rng.random(x.shape) < 0.1] = np.nan
    bad = (np.nan_to_num(x[:, 0]) % 7 < 3) ^ (np.nan_to_num(x[:, 1]) % 5 < 2)
    matrix = xgboost.DMatrix(
        x, bad, feature_types=["c", "c", "q", "c"], enable_categorical=True
    )
    settings = {"objective": "binary:logistic", "max_depth": 4, "nthread": 1}
    booster = xgboost.train(settings, matrix, num_boost_round=8)
    model = ensemble_from_booster(booster, ("a", "b", "c", "d"), [x])
    assert len(model.trees.category_nodes)
    background = x[1_000:1_040]
    found = model.with_background(background).contributions(x[:25])
    for row in range(25):
        expected = enumerated(model.margin, x[row], background)
        assert found[row] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("depth", [4, 6])
def test_contributions_equal_shap_on_the_shipped_rows(
    shipped_rows, grow_trees, shap, depth
):
    booster = grow_trees(shipped_rows, n_trees=40, max_depth=depth)
    x = shipped_rows.x
    model = ensemble_from_booster(booster, shipped_rows.names, [x])
    explainer = shap.TreeExplainer(
        booster,
        data=x[:100],
        feature_perturbation="interventional",
        model_output="raw",
    )
    found = model.with_background(x[:100]).contributions(x[500:800])
    assert np.abs(found - explainer.shap_values(x[500:800])).max() < 1e-5


def test_contributions_sum_to_the_margin_over_the_backgrounds(ensemble, sample):
    background = sample.x[:1_500]
    model = ensemble.with_background(background)
    total = model.contributions(sample.x).sum(axis=1)
    expected = ensemble.margin(sample.x) - ensemble.margin(background).mean()
    assert np.abs(total - expected).max() < 1e-5
    assert model.tables.background_margin_mean == pytest.approx(
        ensemble.margin(background).mean(), abs=1e-12
    )
    assert model.tables.n_background == 1_500
    assert 0 < model.tables.size_mb < 1


def test_a_row_explained_against_itself_has_nothing_to_explain(ensemble, sample):
    row = sample.x[7:8]
    assert not ensemble.with_background(row).contributions(row).any()


def test_missing_values_are_explained_on_both_sides(sample, grow_trees):
    booster = grow_trees(sample, n_trees=5, max_depth=3)
    model = ensemble_from_booster(booster, sample.names, [sample.x])
    background = sample.x[:30].copy()
    background[::2] = np.nan
    row = np.full(6, np.nan)
    found = model.with_background(background).contributions(row[None, :])[0]
    assert found == pytest.approx(enumerated(model.margin, row, background), abs=2e-6)


def test_a_row_has_the_bits_that_it_has_among_many(ensemble, sample):
    model = ensemble.with_background(sample.x[:50])
    whole = model.contributions(sample.x)
    for row in range(0, 4_000, 131):
        alone = model.contributions(sample.x[row : row + 1])
        assert (alone.view("u8") == whole[row : row + 1].view("u8")).all()


def test_the_order_of_the_background_does_not_matter(ensemble, sample):
    forward = ensemble.with_background(sample.x[:300])
    backward = ensemble.with_background(sample.x[299::-1])
    assert (forward.tables.table == backward.tables.table).all()


def test_a_background_row_given_twice_counts_twice(ensemble, sample):
    x = sample.x[:50]
    a, b = sample.x[100:101], sample.x[200:201]
    three = ensemble.with_background(np.vstack([a, a, b])).contributions(x)
    apart = [ensemble.with_background(row).contributions(x) for row in (a, b)]
    assert three == pytest.approx((2 * apart[0] + apart[1]) / 3, abs=1e-6)


def test_trees_too_deep_to_explain_are_refused(sample, grow_trees):
    booster = grow_trees(sample, n_trees=2, max_depth=7)
    model = ensemble_from_booster(booster, sample.names, [sample.x])
    with pytest.raises(ArtifactError, match="7 splits deep; reasons need at most 6"):
        model.with_background(sample.x)


def test_an_empty_background_is_refused(ensemble, sample):
    with pytest.raises(ArtifactError, match="background has no rows; expected at le"):
        ensemble.with_background(sample.x[:0])


def test_trees_that_are_single_leaves_contribute_nothing(sample, grow_trees):
    booster = grow_trees(sample, n_trees=2, min_child_weight=1e9)
    model = ensemble_from_booster(booster, sample.names, [sample.x])
    found = model.with_background(sample.x[:9]).contributions(sample.x[:9])
    assert found.shape == (9, 6)
    assert not found.any()
