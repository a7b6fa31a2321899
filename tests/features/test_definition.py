import sys
from types import ModuleType

import numpy as np
import pytest

from credit_scoring.errors import FeatureError
from credit_scoring.features.definition import (
    FeatureSet,
    feature,
    load_feature_set,
)


@feature(direction=1, reason="DEBT")
def debt_ratio(debt, income):
    """Debt over income.

    Unit: ratio.
    """
    return debt / income


@feature(direction=-1, reason="DEBT")
def spare(debt, income):
    """Income less debt."""
    return income - debt


def make(features=(debt_ratio, spare), reasons=None, source="one"):
    return FeatureSet(
        name="small",
        features=features,
        reasons={"DEBT": "You owe much."} if reasons is None else reasons,
        source=source,
    )


def test_a_feature_names_its_columns_and_says_what_it_is():
    assert debt_ratio.inputs == ("debt", "income")
    assert debt_ratio.description == "Debt over income."
    assert (debt_ratio.direction, debt_ratio.reason) == (1, "DEBT")


def test_the_matrix_has_the_features_in_order():
    feature_set = make()
    columns = {"income": np.array([4.0, 2.0]), "debt": np.array([1.0, 3.0])}
    assert feature_set.compute(columns).tolist() == [[0.25, 3.0], [1.5, -1.0]]
    assert feature_set.names == ("debt_ratio", "spare")
    assert feature_set.directions == (1, -1)
    assert feature_set.inputs == ("debt", "income")


def test_no_rows_give_an_empty_matrix():
    empty = np.array([])
    assert make().compute({"income": empty, "debt": empty}).shape == (0, 2)


def test_every_zero_and_every_missing_value_has_the_same_bits():
    columns = {
        "debt": np.array([-0.0, 0.0, np.nan, -np.nan]),
        "income": np.array([1.0, 1.0, 1.0, 1.0]),
    }
    found = make().compute(columns)[:, 0].view(np.uint64).tolist()
    nan = int(np.array([np.nan]).view(np.uint64)[0])
    assert found == [0, 0, nan, nan]


def test_a_feature_without_a_docstring_is_refused():
    with pytest.raises(FeatureError, match="feature silent has no docstring"):

        @feature(direction=0, reason="DEBT")
        def silent(debt):
            return debt


def test_two_features_of_one_name_are_refused():
    with pytest.raises(FeatureError, match="defined twice: debt_ratio"):
        make(features=(debt_ratio, debt_ratio))


def test_a_feature_without_a_reason_text_is_refused():
    with pytest.raises(FeatureError, match="without a reason text: debt_ratio, spare"):
        make(reasons={"DEBT": ""})


def test_a_missing_column_is_named():
    with pytest.raises(FeatureError, match="columns missing for features: income"):
        make().compute({"debt": np.array([1.0])})


def test_the_version_follows_code_contract_and_meaning():
    versions = {
        make().version("a"),
        make().version("b"),
        make(source="two").version("a"),
        make(features=(spare, debt_ratio)).version("a"),
    }
    assert len(versions) == 4
    assert make().version("a") == make().version("a")
    assert all(len(v) == 16 for v in versions)


def test_an_unknown_feature_set_is_refused():
    with pytest.raises(FeatureError, match="no feature set 'nowhere'"):
        load_feature_set("nowhere")


def test_a_module_without_a_feature_set_is_refused():
    with pytest.raises(FeatureError, match="defines no FEATURE_SET"):
        load_feature_set("definition")


def test_an_import_that_fails_inside_a_feature_module_is_not_hidden(monkeypatch):
    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "credit_scoring.features.broken":
                raise ModuleNotFoundError("no lib", name="lib")

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match="no lib"):
        load_feature_set("broken")


def test_a_feature_set_of_its_own_module_is_found(monkeypatch):
    module = ModuleType("credit_scoring.features.other")
    module.FEATURE_SET = make()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert load_feature_set("other") is module.FEATURE_SET
