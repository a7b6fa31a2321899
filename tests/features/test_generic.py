import numpy as np
import pytest

from credit_scoring.errors import FeatureError
from credit_scoring.features.generic import InputColumn, generic_feature_set

HOME = InputColumn("home", "Whether the home is owned.", {1: "RENT", 4: "OWN, free"})
INCOME = InputColumn("income", "Income. Of a year.", {})


def test_numbers_are_as_they_are_and_categories_are_flags():
    features = generic_feature_set([INCOME, HOME])
    assert features.names == ("income_value", "home_is_rent", "home_is_own_free")
    assert features.directions == (0, 0, 0)
    columns = {
        "income": np.array([1.5, np.nan, -0.0]),
        "home": np.array([1.0, 4.0, np.nan]),
    }
    expected = [[1.5, 1, 0], [np.nan, 0, 1], [0, np.nan, np.nan]]
    np.testing.assert_array_equal(features.compute(columns), expected)


def test_reasons_come_from_the_descriptions():
    features = generic_feature_set([INCOME, HOME])
    assert features.reasons == {
        "INCOME": "Income: what we know of it goes with higher risk.",
        "HOME": "Whether the home is owned: what we know of it goes with higher risk.",
    }
    assert [f.reason for f in features.features] == ["INCOME", "HOME", "HOME"]


def test_labels_that_read_alike_are_told_apart_by_their_codes():
    column = InputColumn("plan", "Plan.", {-1: "A+", 2: "A-"})
    names = generic_feature_set([column]).names
    assert names == ("plan_is_code_minus_1", "plan_is_code_2")


def test_request_and_pipeline_get_the_same_bits():
    features = generic_feature_set([INCOME, HOME])
    random = np.random.default_rng(1)
    columns = {
        "income": np.where(random.random(50) < 0.1, np.nan, random.normal(size=50)),
        "home": random.choice([1.0, 4.0, np.nan], 50),
    }
    whole = features.compute(columns)
    for row in range(50):
        one = {name: values[row : row + 1] for name, values in columns.items()}
        assert features.compiled.compute(one).tobytes() == whole[row].tobytes()


def test_the_version_changes_with_the_columns():
    one = generic_feature_set([INCOME]).version("digest")
    other = generic_feature_set([InputColumn("income", "Other.", {})]).version("digest")
    assert one != other


def test_without_columns_there_are_no_features():
    with pytest.raises(FeatureError, match="has no input column"):
        generic_feature_set([])
