"""What PDs expect of themselves."""

import numpy as np
import pytest

from credit_scoring.errors import CreditScoringError, EvaluationError
from credit_scoring.evaluation.calibration import brier
from credit_scoring.evaluation.discrimination import roc_auc
from credit_scoring.evaluation.expected import expected_performance


def test_a_case_worked_by_hand() -> None:
    # One applicant of PD 0.2 and one of 0.6: bads 0.8, goods 0.8 + 0.4 = 1.2. A bad
    # of the second beats the goods of the first and half of its own.
    found = expected_performance(np.array([0.6, 0.2]), np.array([1, 1]))
    assert found.rows == 2
    assert found.bad_rate == pytest.approx(0.4)
    assert found.brier == pytest.approx((0.16 + 0.24) / 2)
    assert found.bad_rate_error == pytest.approx(np.sqrt(0.4) / 2)
    expected = (0.2 * 0.4 + 0.6 * (0.8 + 0.2)) / (0.8 * 1.2)
    assert found.auc == pytest.approx(expected)


def test_outcomes_drawn_with_the_pds_agree_with_it() -> None:
    generator = np.random.default_rng(1)
    pd_ = np.round(generator.beta(2, 5, 200_000), 3).clip(0.001, 0.999)
    bad = (generator.random(pd_.size) < pd_).astype(np.float64)
    found = expected_performance(*np.unique(pd_, return_counts=True))
    assert found.auc == pytest.approx(roc_auc(pd_, bad), abs=0.004)
    assert found.brier == pytest.approx(brier(pd_, bad), abs=0.002)
    assert found.bad_rate == pytest.approx(bad.mean(), abs=4 * found.bad_rate_error)


def test_one_pd_for_all_tells_nothing_apart() -> None:
    assert expected_performance(np.array([0.3]), np.array([9])).auc == pytest.approx(
        0.5
    )


def test_nobody_and_no_probability_are_refused() -> None:
    with pytest.raises(EvaluationError, match="no application"):
        expected_performance(np.array([0.5]), np.array([0]))
    with pytest.raises(CreditScoringError, match=r"not in \(0, 1\)"):
        expected_performance(np.array([1.0]), np.array([3]))
