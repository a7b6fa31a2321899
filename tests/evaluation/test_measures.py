import json

import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.bootstrap import BootstrapParameters
from credit_scoring.evaluation.calibration import (
    brier,
    calibration_in_the_large,
    fit_recalibration,
    log_loss,
    log_odds,
)
from credit_scoring.evaluation.discrimination import gini, ks, roc_auc
from credit_scoring.evaluation.measures import measure_split, measure_stability
from credit_scoring.evaluation.stability import psi

FEW = BootstrapParameters(replicates=60)


def test_every_measure_is_that_of_its_own_function(predicted):
    pd_, bad = predicted
    found = measure_split(pd_, bad)
    fit = fit_recalibration(log_odds(pd_), bad)
    assert {name: measure.value for name, measure in found.items()} == pytest.approx(
        {
            "auc": roc_auc(pd_, bad),
            "gini": gini(pd_, bad),
            "ks": ks(pd_, bad),
            "brier": brier(pd_, bad),
            "log_loss": log_loss(pd_, bad),
            "calibration_slope": fit.slope,
            "calibration_intercept": fit.intercept,
            "calibration_in_the_large": calibration_in_the_large(pd_, bad),
            "bad_rate": bad.mean(),
            "mean_pd": pd_.mean(),
            "rows": 3000,
            "bads": bad.sum(),
        },
        abs=1e-9,
    )
    assert all(m.low is None and m.high is None for m in found.values())


def test_intervals_hold_the_value_and_say_how_sure_it_is(predicted):
    pd_, bad = predicted
    found = measure_split(pd_, bad, bootstrap=FEW)
    counts = {"rows", "bads"}
    for name in set(found) - counts:
        measure = found[name]
        assert measure.low < measure.value < measure.high, name
    error = fit_recalibration(log_odds(pd_), bad).slope_error
    slope = found["calibration_slope"]
    assert (slope.high - slope.low) / 4 == pytest.approx(error, rel=0.35)
    assert all(found[name].low is None for name in counts)


def test_a_replicate_is_what_the_measure_gives_for_its_resample(predicted):
    pd_, bad = predicted
    narrow = measure_split(pd_, bad, bootstrap=FEW.model_copy(update={"level": 0.5}))
    wide = measure_split(pd_, bad, bootstrap=FEW)
    assert wide["auc"].low < narrow["auc"].low < narrow["auc"].high < wide["auc"].high


def test_the_same_seed_gives_the_same_intervals(predicted):
    first = measure_split(*predicted, bootstrap=FEW)
    assert first == measure_split(*predicted, bootstrap=FEW)
    other = measure_split(
        *predicted, bootstrap=BootstrapParameters(replicates=60, seed=1)
    )
    assert first != other


def test_measures_are_json(predicted):
    found = measure_split(*predicted)
    text = json.dumps({name: measure.as_json() for name, measure in found.items()})
    assert json.loads(text)["rows"] == {"value": 3000, "low": None, "high": None}


@pytest.mark.parametrize(
    ("pd_", "bad", "message"),
    [
        ([0.2, 0.3], [0.0, 0], "expected goods and bads"),
        ([0.2, np.nan], [0.0, 1], "1 of 2 PDs are NaN"),
        ([0.2, 1.0], [0.0, 1], r"1 of 2 PDs are not in \(0, 1\)"),
        ([0.2, 0.3], [0.0, 1], "separates goods from bads perfectly"),
    ],
)
def test_data_without_a_meaning_are_refused(pd_, bad, message):
    with pytest.raises(EvaluationError, match=message):
        measure_split(np.array(pd_), np.array(bad))


def test_too_few_bads_for_an_interval_are_refused():
    pd_, bad = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1, 0, 0])
    with pytest.raises(EvaluationError, match="too few goods or bads"):
        measure_split(pd_, bad, bootstrap=FEW)


def test_stability_has_the_psi_and_its_interval(predicted):
    pd_, _ = predicted
    same = measure_stability(pd_, pd_, bootstrap=FEW)
    assert same.value == 0
    assert 0 < same.low < same.high < 0.05
    moved = measure_stability(pd_, pd_ * 0.8, bootstrap=FEW)
    assert moved.value == psi(pd_, pd_ * 0.8)
    assert moved.low > same.high
    assert measure_stability(pd_, pd_).low is None
