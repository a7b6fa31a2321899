import json

import numpy as np
import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.digests import salted_shares
from credit_scoring.errors import FeatureError, TrainingError
from credit_scoring.features.definition import FeatureSet, feature
from credit_scoring.features.taiwan_default import FEATURE_SET
from credit_scoring.pipelines.feature_engineering import nodes
from credit_scoring.pipelines.feature_engineering.nodes import (
    assign_splits,
    compute_features,
    join_model_input,
    summarise_features,
)

SPLITS = ["train", "validation", "calibration", "test"]


def with_split(parameters, **changes):
    split = {**parameters.split.model_dump(), **changes}
    return type(parameters).model_validate({**parameters.model_dump(), "split": split})


def test_features_are_those_of_the_feature_set(applications, contract, parameters):
    before = applications.copy()
    features = compute_features(applications, contract, parameters)
    columns = {n: applications[n].to_numpy() for n in FEATURE_SET.inputs}
    assert list(features.columns) == ["loan_id", *FEATURE_SET.names]
    assert features["loan_id"].tolist() == applications["loan_id"].tolist()
    assert set(features.dtypes.iloc[1:]) == {np.dtype(np.float64)}
    found = features.iloc[:, 1:].to_numpy()
    assert (found.view("u8") == FEATURE_SET.compute(columns).view("u8")).all()
    pd.testing.assert_frame_equal(applications, before)


def test_a_feature_may_not_read_a_protected_column(applications, contract, parameters):
    document = contract.model_dump(mode="json")
    document["columns"]["credit_limit"]["role"] = "protected"
    with pytest.raises(
        FeatureError, match="read credit_limit; expected application or history"
    ):
        compute_features(applications, Contract.model_validate(document), parameters)


def test_an_infinite_feature_is_refused_without_its_value(
    applications, contract, parameters, monkeypatch
):
    @feature(direction=0, reason="R")
    def inverse_of_age(credit_limit):
        """Inverse of the limit."""
        with np.errstate(divide="ignore"):
            return 1 / credit_limit

    infinite = FeatureSet(
        name="infinite", features=[inverse_of_age], reasons={"R": "R."}, source=""
    )
    monkeypatch.setattr(nodes, "feature_set_of", lambda name, contract: infinite)
    rows = applications.copy()
    rows.loc[[7, 9], "credit_limit"] = 0.0
    message = "2 feature values are infinite; first in inverse_of_age at row 7$"
    with pytest.raises(FeatureError, match=message):
        compute_features(rows, contract, parameters)


def test_each_row_is_in_one_split_of_about_its_share(
    applications, contract, parameters
):
    splits = assign_splits(applications, contract, parameters)
    assert splits["loan_id"].tolist() == applications["loan_id"].tolist()
    assert splits["bad"].tolist() == applications["default_next_month"].tolist()
    assert splits["bad"].dtype == np.int8
    shares = splits["split"].value_counts(normalize=True)
    assert set(shares.index) == set(SPLITS)
    for split in SPLITS:
        expected = getattr(parameters.split.shares, split)
        assert shares[split] == pytest.approx(expected, abs=0.04)


def test_splits_follow_the_salted_hash(applications, contract, parameters):
    splits = assign_splits(applications, contract, parameters)
    points = salted_shares(applications["loan_id"], "a test")
    assert (splits["split"] == "train").tolist() == (points < 0.45).tolist()
    assert (splits["split"] == "test").tolist() == (points >= 0.7).tolist()


def test_a_row_keeps_its_split_when_rows_are_added(applications, contract, parameters):
    few = assign_splits(applications[500:1_500], contract, parameters)
    many = assign_splits(applications[::-1], contract, parameters)
    joined = few.merge(many, on="loan_id")
    assert len(joined) == 1_000
    assert (joined["split_x"] == joined["split_y"]).all()


def test_another_salt_splits_anew(applications, contract, parameters):
    one = assign_splits(applications, contract, parameters)
    other = with_split(parameters, salt="another")
    two = assign_splits(applications, contract, other)
    agreement = (one["split"] == two["split"]).mean()
    assert agreement == pytest.approx(0.45**2 + 0.1**2 + 0.15**2 + 0.3**2, abs=0.05)


@pytest.mark.parametrize("outcome", [0, 1])
def test_a_split_that_lacks_goods_or_bads_is_refused(
    applications, contract, parameters, outcome
):
    splits = assign_splits(applications, contract, parameters)
    rows = applications.copy()
    places = splits["split"] == "calibration"
    rows.loc[places, "default_next_month"] = outcome
    counts = [0, 0]
    counts[outcome] = int(places.sum())
    with pytest.raises(
        TrainingError,
        match=f"calibration has {counts[0]} goods and {counts[1]} bads among 2000",
    ):
        assign_splits(rows, contract, parameters)


BOUNDARIES = {
    "validation_from": "2011-01-01",
    "calibration_from": "2011-04-01",
    "test_from": "2011-07-01",
}


def test_splits_by_date_follow_time(applications, dated_contract, parameters):
    by_date = with_split(parameters, out_of_time=BOUNDARIES)
    splits = assign_splits(applications, dated_contract, by_date)
    days = applications["application_date"]
    ranges = days.groupby(splits["split"]).agg(["min", "max"])
    assert ranges.loc["train", "max"] < pd.Timestamp("2011-01-01")
    assert ranges.loc["validation", "min"] == pd.Timestamp("2011-01-01")
    assert ranges.loc["validation", "max"] < ranges.loc["calibration", "min"]
    assert ranges.loc["calibration", "max"] < ranges.loc["test", "min"]
    assert ranges.loc["test", "min"] >= pd.Timestamp("2011-07-01")


def test_validation_may_be_a_share_of_what_is_before_calibration(
    applications, dated_contract, parameters
):
    dates = {**BOUNDARIES, "validation_from": None, "validation_share": 0.25}
    by_date = with_split(parameters, out_of_time=dates)
    splits = assign_splits(applications, dated_contract, by_date)["split"]
    days = applications["application_date"]
    assert (splits[days < "2011-04-01"].isin(["train", "validation"])).all()
    assert (splits[days >= "2011-04-01"].isin(["calibration", "test"])).all()
    share = (splits == "validation").sum() / (days < "2011-04-01").sum()
    assert 0.2 < share < 0.3
    # A row keeps its split when others are added.
    part = assign_splits(applications[::2], dated_contract, by_date)["split"]
    assert part.tolist() == splits[::2].tolist()


def test_splits_by_date_need_a_date_in_the_contract(applications, contract, parameters):
    by_date = with_split(parameters, out_of_time=BOUNDARIES)
    with pytest.raises(TrainingError, match="one date column; contract cards has 0"):
        assign_splits(applications, contract, by_date)


def test_splits_by_date_need_a_date_in_every_row(
    applications, dated_contract, parameters
):
    by_date = with_split(parameters, out_of_time=BOUNDARIES)
    rows = applications.copy()
    rows.loc[[3, 5], "application_date"] = pd.NaT
    with pytest.raises(TrainingError, match="2 of 2000 rows have no application_date"):
        assign_splits(rows, dated_contract, by_date)


def test_the_model_input_has_each_row_once_with_its_outcome(
    applications, contract, parameters
):
    features = compute_features(applications, contract, parameters)
    splits = assign_splits(applications, contract, parameters)
    joined = join_model_input(features, splits[::-1])
    assert list(joined.columns) == ["loan_id", "split", "bad", *FEATURE_SET.names]
    pd.testing.assert_frame_equal(joined[features.columns], features)
    pd.testing.assert_frame_equal(joined[splits.columns], splits)


def test_ids_on_one_side_alone_are_refused():
    features = pd.DataFrame({"loan_id": ["a", "b"], "f": [1.0, 2.0]})
    splits = pd.DataFrame({"loan_id": ["a", "c"], "split": "test", "bad": [0, 1]})
    with pytest.raises(TrainingError, match="2 ids are in features or splits alone"):
        join_model_input(features, splits)


@pytest.mark.parametrize("side", ["features", "splits"])
def test_repeated_ids_are_refused(side):
    ids = {"features": ["a", "b"], "splits": ["a", "b"], side: ["a", "a"]}
    features = pd.DataFrame({"loan_id": ids["features"], "f": [1.0, 2.0]})
    splits = pd.DataFrame({"loan_id": ids["splits"], "split": "test", "bad": [0, 1]})
    with pytest.raises(TrainingError, match=f"1 rows of {side} repeat an id"):
        join_model_input(features, splits)


def test_the_summary_tells_version_meaning_and_spread(
    applications, contract, parameters
):
    features = compute_features(applications, contract, parameters)
    features.loc[:499, "unused_limit"] = np.nan
    features["spending_now"] = np.nan
    summary = summarise_features(features, contract, parameters)
    json.dumps(summary, allow_nan=False)
    assert summary["feature_set"] == "taiwan_default"
    assert summary["feature_version"] == FEATURE_SET.version(contract.digest)
    assert summary["n_rows"] == 2_000
    assert list(summary["features"]) == list(FEATURE_SET.names)
    unused = summary["features"]["unused_limit"]
    present = features["unused_limit"].dropna()
    assert unused["direction"] == -1
    assert unused["reason"] == "CREDIT_LIMIT"
    assert unused["share_missing"] == 0.25
    assert unused["mean"] == pytest.approx(present.mean())
    assert (unused["min"], unused["max"]) == (present.min(), present.max())
    nowhere = summary["features"]["spending_now"]
    assert [nowhere[k] for k in ("min", "mean", "max")] == [None] * 3
    assert nowhere["share_missing"] == 1
