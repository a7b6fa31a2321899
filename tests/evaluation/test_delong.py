from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.delong import (
    auc_covariance,
    compare_aucs,
    mid_ranks,
    placements,
)
from credit_scoring.evaluation.discrimination import roc_auc

# Albumin, total protein, K-G score (10 less the recorded one), and whether surgery
# failed: the 43 complete records of the ovarian cancer data in DeLong, DeLong &
# Clarke-Pearson (1988), as SAS/STAT's guide to PROC LOGISTIC prints them.
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0
2.5 5.7 8 0   1.6 5.6 5 1  3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1
4.1 6.6 5 1   3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0
4.0 6.6 6 0   3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1
3.1 6.6 6 1   4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1
3.3 6.8 6 0   1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1
2.9 5.7 9 0   2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1
3.6 6.6 5 1
"""


@pytest.fixture(scope="module")
def ovarian() -> tuple[np.ndarray, np.ndarray]:
    """Three risks, one a row, and the outcome."""
    table = np.array(OVARIAN.split(), float).reshape(-1, 4)
    assert table.shape == (43, 4)
    return np.stack([-table[:, 0], table[:, 2], -table[:, 1]]), 1 - table[:, 3]


@pytest.fixture(scope="module")
def models() -> tuple[np.ndarray, np.ndarray]:
    """Two correlated models of 600 applications, with ties, and the outcome."""
    random = np.random.default_rng(5)
    truth = random.normal(0, 1, 600)
    bad = (random.random(600) < 1 / (1 + np.exp(1 - 1.2 * truth))).astype(float)
    noise = random.normal(0, 1, (2, 600))
    return np.round(truth + np.array([[0.5], [0.8]]) * noise, 1), bad


def by_definition(risks, bad):
    """AUC and covariance from every pair of a bad and a good."""
    bads, goods = risks[:, bad == 1], risks[:, bad == 0]
    kernel = (bads[:, :, None] > goods[:, None]) + 0.5 * (
        bads[:, :, None] == goods[:, None]
    )
    auc = kernel.mean(axis=(1, 2))
    v10, v01 = kernel.mean(axis=2), kernel.mean(axis=1)
    covariance = np.empty((len(risks), len(risks)))
    for r, s in product(range(len(risks)), repeat=2):
        s10 = ((v10[r] - auc[r]) * (v10[s] - auc[s])).sum() / (v10.shape[1] - 1)
        s01 = ((v01[r] - auc[r]) * (v01[s] - auc[s])).sum() / (v01.shape[1] - 1)
        covariance[r, s] = s10 / v10.shape[1] + s01 / v01.shape[1]
    return auc, covariance


def test_the_published_example_is_reproduced(ovarian):
    """SAS/STAT prints areas, standard errors and contrasts to four digits."""
    risks, bad = ovarian
    aucs, covariance = auc_covariance(risks, bad)
    assert np.round(aucs, 4).tolist() == [0.7366, 0.7258, 0.6478]
    errors = np.sqrt(np.diag(covariance))
    assert np.round(errors, 4).tolist() == [0.0927, 0.1028, 0.1000]
    albumin = compare_aucs(risks[0], risks[1], bad)
    assert round(albumin.difference, 4) == 0.0108
    assert round(albumin.error, 4) == 0.0953
    assert (round(albumin.low, 4), round(albumin.high, 4)) == (-0.1761, 0.1976)
    assert round(2 * (1 - norm.cdf(albumin.difference / albumin.error)), 4) == 0.9102
    protein = compare_aucs(risks[2], risks[1], bad)
    assert round(protein.difference, 4) == -0.0780
    assert round(protein.error, 4) == 0.1046


def test_the_fast_algorithm_gives_what_the_definition_does(models, ovarian):
    for risks, bad in (models, ovarian):
        expected = by_definition(risks, bad)
        found = auc_covariance(risks, bad)
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-11)


def test_the_interval_is_that_of_a_bootstrap_of_the_rows(models):
    (risk, other), bad = models
    found = compare_aucs(risk, other, bad)
    random = np.random.default_rng(6)
    differences = []
    for _ in range(1500):
        drawn = random.integers(0, 600, 600)
        again = roc_auc(risk[drawn], bad[drawn]) - roc_auc(other[drawn], bad[drawn])
        differences.append(again)
    assert found.error == pytest.approx(np.std(differences), rel=0.08)
    low, high = np.quantile(differences, [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.15 * found.error)
    assert found.high == pytest.approx(high, abs=0.15 * found.error)


def test_one_in_twenty_equal_pairs_is_found_to_differ_at_that_level():
    random = np.random.default_rng(7)
    rejected = 0
    for _ in range(400):
        truth = random.normal(0, 1, 300)
        bad = (random.random(300) < 1 / (1 + np.exp(-truth))).astype(float)
        risks = truth + random.normal(0, 1, (2, 300))
        rejected += compare_aucs(*risks, bad, mode="superiority").p_value < 0.05
    assert 0.02 < rejected / 400 < 0.085


def test_non_inferiority_worked_by_hand():
    """Goods at 1, 2, 3 and bads at 2, 4: V10 is 1/2 and 1, V01 is 1, 3/4, 1/2."""
    risk = np.array([1.0, 2, 3, 2, 4])
    bad = np.array([0.0, 0, 0, 1, 1])
    of_bads, of_goods = placements(risk, bad)
    assert of_bads.tolist() == [0.5, 1]
    assert of_goods.tolist() == [1, 0.75, 0.5]
    aucs, covariance = auc_covariance(risk[None], bad)
    assert aucs[0] == 0.75
    assert covariance[0, 0] == pytest.approx(0.125 / 2 + 0.0625 / 3)
    same = compare_aucs(risk, risk, bad, margin=0.01)
    assert (same.difference, same.error, same.low, same.high) == (0, 0, 0, 0)
    assert same.shown
    assert same.p_value == 0
    assert not compare_aucs(risk, risk, bad, mode="superiority").shown
    assert compare_aucs(risk, risk, bad, mode="superiority").p_value == 1


@pytest.mark.parametrize("mode", ["non_inferiority", "superiority"])
@pytest.mark.parametrize("margin", [0.0, 0.01, 0.05, 0.2])
def test_the_verdict_by_interval_is_that_by_p_value(models, mode, margin):
    (risk, other), bad = models
    for pair in ((risk, other), (other, risk)):
        found = compare_aucs(*pair, bad, margin=margin, level=0.9, mode=mode)
        assert found.shown == (found.p_value < 0.05)
        expected = norm.sf((found.difference - found.bound) / found.error)
        assert found.p_value == pytest.approx(expected)


def test_a_change_of_scale_changes_nothing_and_a_change_of_sides_the_sign(models):
    (risk, other), bad = models
    found = compare_aucs(risk, other, bad)
    assert compare_aucs(np.exp(risk), 3 * other - 1, bad) == found
    back = compare_aucs(other, risk, bad)
    assert back.difference == pytest.approx(-found.difference)
    assert back.low == pytest.approx(-found.high)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_mid_ranks_are_average_ranks(values):
    found = mid_ranks(np.array(values, float))
    np.testing.assert_array_equal(found, rankdata(values))


def test_one_bad_has_no_variance():
    with pytest.raises(EvaluationError, match="3 outcomes with 1 bads; a variance"):
        compare_aucs(np.arange(3.0), np.arange(3.0), np.array([0.0, 0, 1]))


def test_an_unknown_risk_is_refused():
    with pytest.raises(EvaluationError, match="1 of 4 risks are NaN"):
        placements(np.array([1, np.nan, 2, 3]), np.array([0.0, 0, 1, 1]))
