import json

import numpy as np
import pytest
import xgboost

from credit_scoring.boosting.conversion import (
    ensemble_from_booster,
    verify_against_xgboost,
)
from credit_scoring.errors import ArtifactError


def same_bits(margin, expected):
    return (margin.astype(np.float32).view("u4") == expected.view("u4")).all()


@pytest.mark.parametrize("depth", [1, 3, 5, 8])
def test_margins_have_xgboosts_bits_on_the_shipped_rows(
    shipped_rows, grow_trees, depth
):
    booster = grow_trees(shipped_rows, max_depth=depth, n_trees=40)
    x = shipped_rows.x
    ensemble = ensemble_from_booster(booster, shipped_rows.names, [x])
    assert len(x) == 30_000
    assert same_bits(
        ensemble.margin(x), booster.inplace_predict(x, predict_type="margin")
    )


@pytest.mark.parametrize("base_score", [0.01, 0.2212, 0.5, 0.731, 0.999])
def test_the_base_margin_is_rounded_as_xgboost_does(sample, grow_trees, base_score):
    booster = grow_trees(sample, n_trees=3, base_score=base_score)
    ensemble = ensemble_from_booster(booster, sample.names, [sample.x])
    exact = np.log(base_score / (1 - base_score))
    assert ensemble.base_margin == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"gamma": 20.0},
        {"min_child_weight": 1e9},
        {"grow_policy": "lossguide", "max_leaves": 9, "max_depth": 0},
        {"num_parallel_tree": 3, "subsample": 0.5},
    ],
    ids=str,
)
def test_trees_of_every_shape_are_taken_over(sample, grow_trees, settings):
    booster = grow_trees(sample, n_trees=8, **settings)
    ensemble = ensemble_from_booster(booster, sample.names, [sample.x])
    expected = booster.inplace_predict(sample.x, predict_type="margin")
    assert same_bits(ensemble.margin(sample.x), expected)


def test_infinite_values_go_where_xgboost_sends_them(booster, sample, ensemble):
    x = sample.x[:200].copy()
    x[::3, 0] = np.inf
    x[1::3, 1] = -np.inf
    expected = booster.predict(
        xgboost.DMatrix(np.clip(x, -3e38, 3e38)), output_margin=True
    )
    assert same_bits(ensemble.margin(x), expected)


def test_another_objective_is_refused(sample, grow_trees):
    booster = grow_trees(sample, objective="reg:squarederror")
    with pytest.raises(ArtifactError, match=r"reg:squarederror.*expected.*logistic"):
        ensemble_from_booster(booster, sample.names, [sample.x])


@pytest.mark.filterwarnings("ignore:(?s).*`booster=dart` is deprecated:UserWarning")
def test_another_kind_of_booster_is_refused(sample, grow_trees):
    booster = grow_trees(sample, booster="dart", rate_drop=0.5)
    with pytest.raises(ArtifactError, match="'booster': 'dart'"):
        ensemble_from_booster(booster, sample.names, [sample.x])


def test_another_number_of_features_is_refused(booster, sample):
    with pytest.raises(ArtifactError, match=r"'features': 6.*'features': 5"):
        ensemble_from_booster(booster, sample.names[:5], [sample.x])


def test_a_booster_without_trees_is_refused(sample, grow_trees):
    booster = grow_trees(sample, n_trees=0)
    with pytest.raises(ArtifactError, match="no trees; expected at least one"):
        ensemble_from_booster(booster, sample.names, [sample.x])


@pytest.fixture(scope="module")
def categorical():
    """Rows with two columns of codes (44 and 5 of them) and two of numbers."""
    rng = np.random.default_rng(17)
    n = 6_000
    code, few = rng.integers(0, 44, n), rng.integers(0, 5, n)
    number, other = rng.normal(0, 1, n), rng.integers(0, 9, n)
    log_odds = np.sin(code * 7.0) * 2 + (few == 3) + number * (code % 3 == 0)
    bad = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    x = np.column_stack([code, number, few, other]).astype(np.float64)
    x[rng.random(x.shape) < 0.05] = np.nan
    return x, bad


def grow_on_categories(x, bad, *, max_cat_to_onehot, depth=4):
    types = ["c", "q", "c", "int"]
    matrix = xgboost.DMatrix(x, bad, feature_types=types, enable_categorical=True)
    settings = {
        "objective": "binary:logistic",
        "max_cat_to_onehot": max_cat_to_onehot,
        "max_depth": depth,
        "nthread": 1,
    }
    return xgboost.train(settings, matrix, num_boost_round=30)


CATEGORICAL_NAMES = ("code", "number", "few", "other")


@pytest.mark.parametrize("max_cat_to_onehot", [1, 8, 64])
def test_margins_have_xgboosts_bits_where_trees_split_by_category(
    categorical, max_cat_to_onehot
):
    x, bad = categorical
    booster = grow_on_categories(x, bad, max_cat_to_onehot=max_cat_to_onehot)
    ensemble = ensemble_from_booster(booster, CATEGORICAL_NAMES, [x])
    assert len(ensemble.trees.category_nodes) > 30
    expected = booster.inplace_predict(x, predict_type="margin")
    assert same_bits(ensemble.margin(x), expected)


@pytest.mark.parametrize(
    "code", [44, 63, 64, 1000, 1e7, 3e7, 1e30, -1, -0.5, -0.0, 2.7, 43.999, np.nan]
)
def test_categories_never_seen_go_where_xgboost_sends_them(categorical, code):
    x, bad = categorical
    booster = grow_on_categories(x, bad, max_cat_to_onehot=4)
    ensemble = ensemble_from_booster(booster, CATEGORICAL_NAMES, [x])
    asked = x[:500].copy()
    asked[:, 0] = code
    asked[::2, 2] = code
    expected = booster.inplace_predict(asked, predict_type="margin")
    assert same_bits(ensemble.margin(asked), expected)


def test_a_saved_model_keeps_its_categories(categorical, tmp_path):
    x, bad = categorical
    booster = grow_on_categories(x, bad, max_cat_to_onehot=1)
    ensemble_from_booster(booster, CATEGORICAL_NAMES, [x]).save(tmp_path)
    assert verify_against_xgboost(tmp_path, x) == len(x)


def test_a_saved_model_is_proved_against_its_own_booster(ensemble, sample, tmp_path):
    ensemble.save(tmp_path)
    assert verify_against_xgboost(tmp_path, sample.x) == len(sample.x)


def test_a_single_altered_leaf_is_found(ensemble, sample, tmp_path):
    ensemble.save(tmp_path)
    with np.load(tmp_path / "trees.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    leaf = int(np.abs(arrays["value"]).argmax())
    arrays["value"][leaf] *= np.float32(1.00001)
    np.savez(tmp_path / "trees.npz", **arrays)
    with pytest.raises(ArtifactError, match=r"\d+ of 4000 margins differ .* at row"):
        verify_against_xgboost(tmp_path, sample.x)


def test_a_booster_file_that_is_none_is_named(ensemble, sample, tmp_path):
    ensemble.save(tmp_path)
    (tmp_path / "booster.ubj").write_bytes(b"{}")
    with pytest.raises(ArtifactError, match=r"booster\.ubj is not an XGBoost model"):
        verify_against_xgboost(tmp_path, sample.x)


def test_the_saved_booster_is_xgboosts_own(ensemble, booster, sample, tmp_path):
    ensemble.save(tmp_path)
    again = xgboost.Booster(model_file=tmp_path / "booster.ubj")
    assert json.loads(again.save_raw("json")) == json.loads(booster.save_raw("json"))
