import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score, roc_curve

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.discrimination import (
    Ranking,
    gini,
    ks,
    roc_auc,
    roc_points,
)

OUTCOMES = st.lists(
    st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 3)),
    min_size=2,
    max_size=30,
).filter(lambda rows: len({bad for _, bad, weight in rows if weight}) == 2)


def columns(rows):
    risk, bad, weight = (np.array(column, float) for column in zip(*rows, strict=True))
    return risk, bad, weight


def test_hand_worked_auc_and_ks():
    # Pairs (bad, good): (3,1) won, (3,2) won, (2,1) won, (2,2) tied.
    risk, bad = np.array([1.0, 2, 2, 3]), np.array([0.0, 0, 1, 1])
    assert roc_auc(risk, bad) == 3.5 / 4
    assert gini(risk, bad) == 0.75
    # At risk 3: half of the bads and no good; at risk 2: all bads, half the goods.
    assert ks(risk, bad) == 0.5


def test_perfect_separation_is_one_and_its_reverse_is_zero():
    risk, bad = np.array([1.0, 2, 3, 4]), np.array([0.0, 0, 1, 1])
    assert (roc_auc(risk, bad), gini(risk, bad), ks(risk, bad)) == (1, 1, 1)
    assert (roc_auc(-risk, bad), gini(-risk, bad), ks(-risk, bad)) == (0, -1, 1)


def test_a_constant_risk_discriminates_nothing():
    risk, bad = np.full(5, 0.3), np.array([0.0, 1, 0, 1, 0])
    assert (roc_auc(risk, bad), gini(risk, bad), ks(risk, bad)) == (0.5, 0, 0)


def test_auc_agrees_with_scikit_learn(predicted, weights):
    risk, bad = predicted
    assert roc_auc(risk, bad) == pytest.approx(roc_auc_score(bad, risk), abs=1e-12)
    expected = roc_auc_score(bad, risk, sample_weight=weights)
    assert roc_auc(risk, bad, weights) == pytest.approx(expected, abs=1e-12)


def test_ks_agrees_with_scipy(predicted, weights):
    risk, bad = predicted
    expected = ks_2samp(risk[bad == 1], risk[bad == 0]).statistic
    assert ks(risk, bad) == pytest.approx(expected, abs=1e-12)
    times = weights.astype(int)
    repeated, outcomes = np.repeat(risk, times), np.repeat(bad, times)
    expected = ks_2samp(repeated[outcomes == 1], repeated[outcomes == 0]).statistic
    assert ks(risk, bad, weights) == pytest.approx(expected, abs=1e-12)


def test_roc_points_agree_with_scikit_learn(predicted, weights):
    risk, bad = predicted
    points = roc_points(risk, bad, weights)
    goods, bads, levels = roc_curve(
        bad, risk, sample_weight=weights, drop_intermediate=False
    )
    # scikit-learn leaves out the levels whose rows all have the weight 0.
    kept = np.isin(points.level, levels)
    np.testing.assert_allclose(points.goods[kept], goods, atol=1e-12)
    np.testing.assert_allclose(points.bads[kept], bads, atol=1e-12)


def test_the_area_under_the_points_is_the_auc(predicted):
    points = roc_points(*predicted)
    area = np.trapezoid(points.bads, points.goods)
    assert area == pytest.approx(roc_auc(*predicted), abs=1e-12)


@given(OUTCOMES)
def test_a_weight_counts_as_so_many_rows(rows):
    risk, bad, weight = columns(rows)
    repeated = np.repeat(risk, weight.astype(int)), np.repeat(bad, weight.astype(int))
    assert roc_auc(risk, bad, weight) == pytest.approx(roc_auc(*repeated))
    assert ks(risk, bad, weight) == pytest.approx(ks(*repeated))


@given(OUTCOMES)
def test_only_the_order_of_risk_matters(rows):
    risk, bad, _ = columns(rows)
    assert roc_auc(np.exp(risk), bad) == roc_auc(risk, bad)
    assert ks(np.exp(risk), bad) == ks(risk, bad)
    assert roc_auc(-risk, bad) == pytest.approx(1 - roc_auc(risk, bad))
    assert ks(-risk, bad) == pytest.approx(ks(risk, bad))
    # A cut-off that reaches the KS lies on the ROC curve.
    assert ks(risk, bad) >= abs(gini(risk, bad)) / 2 - 1e-12


def test_many_sets_of_weights_at_once_give_what_each_gives_alone(predicted):
    risk, bad = predicted
    sets = np.random.default_rng(13).integers(0, 3, (5, len(bad))).astype(float)
    ranking = Ranking(risk, bad)
    alone = [(roc_auc(risk, bad, one), ks(risk, bad, one)) for one in sets]
    together = np.column_stack([ranking.auc(sets), ranking.ks(sets)])
    np.testing.assert_allclose(together, alone, atol=1e-14)


def test_a_set_of_weights_with_one_outcome_is_undefined():
    risk, bad = np.array([1.0, 2, 3]), np.array([0.0, 0, 1])
    only_goods = np.array([1.0, 1, 0])
    assert np.isnan(Ranking(risk, bad).auc(only_goods[None])).all()
    for measure in (roc_auc, gini, ks):
        with pytest.raises(EvaluationError, match="leave only one outcome"):
            measure(risk, bad, only_goods)


@pytest.mark.parametrize("measure", [roc_auc, gini, ks, roc_points])
def test_one_outcome_nan_and_other_lengths_are_refused(measure):
    with pytest.raises(EvaluationError, match="expected goods and bads"):
        measure(np.array([0.1, 0.2]), np.array([1.0, 1]))
    with pytest.raises(EvaluationError, match="1 of 2 risks are NaN"):
        measure(np.array([0.1, np.nan]), np.array([0.0, 1]))
    with pytest.raises(EvaluationError, match="3 risks for 2 outcomes"):
        measure(np.array([0.1, 0.2, 0.3]), np.array([0.0, 1]))
