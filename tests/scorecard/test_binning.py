import logging

import numpy as np
import pytest

from credit_scoring.errors import TrainingError
from credit_scoring.scorecard import binning
from credit_scoring.scorecard.binning import (
    FeatureColumn,
    bin_features,
    count_bins,
    find_edges,
    weights_of_evidence,
)
from credit_scoring.scorecard.parameters import BinningParameters

PARAMETERS = BinningParameters()


def sample(rows=4000, *, shape=lambda x: x, seed=0):
    random = np.random.default_rng(seed)
    values = random.uniform(-2, 2, rows)
    bad = (random.random(rows) < 1 / (1 + np.exp(1 - 1.5 * shape(values)))).astype(
        float
    )
    return values, bad


def bad_rates(feature):
    return np.array([item.bad_rate for item in feature.bins])


def test_woe_is_positive_for_a_safer_bin():
    # Shares of goods 0.8 and 0.2, of bads 0.4 and 0.6.
    woes = weights_of_evidence(np.array([80, 20]), np.array([4, 6]))
    np.testing.assert_allclose(woes, [np.log(2), np.log(1 / 3)], atol=5e-7)


def test_woe_of_a_bin_without_bads_is_finite():
    woes = weights_of_evidence(np.array([10, 90]), np.array([0, 20]))
    assert woes[0] == pytest.approx(np.log((10.5 / 100) / (0.5 / 20)), abs=1e-6)


def test_woe_of_an_empty_bin_is_neutral():
    assert weights_of_evidence(np.array([10, 0]), np.array([5, 0])).tolist() == [0, 0]


@pytest.mark.parametrize(("goods", "bads"), [([3], [0]), ([0], [3])])
def test_woe_needs_goods_and_bads(goods, bads):
    with pytest.raises(TrainingError, match="expected goods and bads, found"):
        weights_of_evidence(np.array(goods), np.array(bads))


def test_information_value_is_that_of_a_hand_worked_case():
    values = np.array([0.0] * 84 + [1.0] * 26)
    bad = np.array([0.0] * 80 + [1.0] * 4 + [0.0] * 20 + [1.0] * 6)
    feature = count_bins(
        FeatureColumn("f", 1, values), bad, edges=np.array([0.5]), min_missing_rows=1
    )
    expected = 0.4 * np.log(2) - 0.4 * np.log(1 / 3)
    assert feature.information_value == pytest.approx(expected, abs=1e-6)
    assert [(item.goods, item.bads) for item in feature.bins] == [(80, 4), (20, 6)]


def test_few_missing_values_say_nothing_and_many_have_their_own_weight():
    values, bad = sample()
    missing = values.copy()
    missing[:200] = np.nan
    bad[:200] = 1
    found = [
        count_bins(
            FeatureColumn("f", 1, missing),
            bad,
            edges=np.array([0.0]),
            min_missing_rows=least,
        ).missing
        for least in (200, 201)
    ]
    assert found[0].woe < -3
    assert found[1].woe == 0
    assert [(item.goods, item.bads) for item in found] == [(0, 200), (0, 200)]


@pytest.mark.parametrize(("direction", "sign"), [(1, 1), (-1, -1)])
def test_bad_rate_follows_the_direction(direction, sign):
    values, bad = sample()
    found = bin_features(
        sign * values[:, None],
        bad,
        feature_names=["f"],
        directions=[direction],
        parameters=PARAMETERS,
    )
    (feature,) = found.binned
    assert len(feature.bins) >= 4
    assert np.all(np.diff(direction * bad_rates(feature)) > 0)
    assert feature.direction == direction


def test_without_a_direction_the_bad_rate_may_have_a_valley():
    values, bad = sample(shape=lambda x: x * x - 1)
    found = bin_features(
        values[:, None],
        bad,
        feature_names=["f"],
        directions=[0],
        parameters=PARAMETERS,
    )
    rates = bad_rates(found.binned[0])
    lowest = int(rates.argmin())
    assert 0 < lowest < len(rates) - 1
    assert np.all(np.diff(rates[: lowest + 1]) < 0)
    assert np.all(np.diff(rates[lowest:]) > 0)


def test_no_bin_is_smaller_than_asked():
    values, bad = sample()
    parameters = BinningParameters(min_bin_share=0.2)
    edges = find_edges(FeatureColumn("f", 1, values), bad, parameters=parameters)
    assert np.histogram(values, [-np.inf, *edges, np.inf])[0].min() >= 800


def test_the_same_data_give_the_same_bins():
    values, bad = sample()
    found = [
        find_edges(FeatureColumn("f", 0, values), bad, parameters=PARAMETERS)
        for _ in range(2)
    ]
    assert found[0].tobytes() == found[1].tobytes()


def test_features_without_two_bins_are_left_out_with_the_reason():
    values, bad = sample()
    constant = np.where(np.arange(len(values)) < 100, np.nan, 7.0)
    x = np.column_stack([values, constant, np.full(len(values), np.nan), -values])
    found = bin_features(
        x,
        bad,
        feature_names=["good", "constant", "absent", "wrong_way"],
        directions=[1, 1, 1, 1],
        parameters=PARAMETERS,
    )
    assert [item.feature for item in found.binned] == ["good"]
    assert found.left_out == {
        "constant": "constant: every value is the same",
        "absent": "every value is missing",
        "wrong_way": (
            "one bin: no cut separates goods from bads as its direction asks"
        ),
    }


def test_bins_that_are_not_proven_optimal_are_refused():
    values, bad = sample()
    hurried = BinningParameters(time_limit_s=1e-9)
    with pytest.raises(TrainingError, match="f were not proven optimal within 1e-09 s"):
        find_edges(FeatureColumn("f", 1, values), bad, parameters=hurried)


def test_binning_leaves_nothing_on_the_terminal(capfd):
    values, bad = sample(500)
    find_edges(FeatureColumn("f", 1, values), bad, parameters=PARAMETERS)
    assert capfd.readouterr() == ("", "")


def test_only_the_complaint_about_an_unused_solver_is_kept_quiet():
    def record(text):
        return logging.LogRecord("__cvxpy__", logging.WARNING, "", 0, text, (), None)

    keep = binning._is_not_about_an_unused_solver
    assert keep(record("problem is infeasible"))
    assert not keep(record("Encountered unexpected exception importing solver HIGHS"))
