import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import wilson_interval
from credit_scoring.evaluation.cut_offs import TradeOff
from credit_scoring.evaluation.profit import CostTable

COSTS = CostTable(gain_from_good=0.1, loss_from_bad=0.5)


@pytest.fixture
def trade_off() -> TradeOff:
    """Five applicants; the two at 500 stand and fall together."""
    return TradeOff(
        np.array([500.0, 600, 400, 500, 550]),
        np.array([0.2, 0.02, 0.5, 0.1, 0.08]),
        np.array([1.0, 0, 1, 0, 0]),
        exposure=np.array([100.0, 100, 300, 100, 400]),
        costs=COSTS,
    )


def test_every_cut_off_worked_by_hand(trade_off):
    assert trade_off.scores.tolist() == [600, 550, 500, 400]
    assert trade_off.approved.tolist() == [1, 2, 4, 5]
    # 100 * (0.1 - 0.6 * 0.02) = 8.8; 400 * (0.1 - 0.048) = 20.8; -2 and 4; -60
    assert trade_off.expected_profit == pytest.approx(
        np.array([8.8, 29.6, 31.6, -28.4]) / 1000
    )
    assert trade_off.profit == pytest.approx(np.array([10, 50, 10, -140]) / 1000)


def test_the_cut_off_for_profit_looks_at_pds_and_not_at_outcomes(trade_off):
    assert trade_off.for_profit() == 500
    assert trade_off.profit.argmax() == 1


@pytest.mark.parametrize(
    ("rate", "score"), [(0.1, 600), (0.2, 600), (0.4, 550), (0.41, 500), (1, 400)]
)
def test_the_cut_off_for_approvals_approves_at_least_that_many(trade_off, rate, score):
    assert trade_off.for_approval_rate(rate) == score


@pytest.mark.parametrize(("rate", "score"), [(0.02, 600), (0.05, 550), (0.1, 500)])
def test_the_cut_off_for_a_bad_rate_keeps_the_mean_pd_below(trade_off, rate, score):
    assert trade_off.for_bad_rate(rate) == score


def test_what_a_cut_off_leads_to(trade_off):
    found = trade_off.at(480)
    assert (found.approved, found.bads, found.approval_rate) == (4, 1, 0.8)
    assert found.bad_rate == 0.25
    low, high = wilson_interval(1, 4, level=0.95)
    assert (found.bad_rate_low, found.bad_rate_high) == (low, high)
    assert found.profit == pytest.approx(0.01)
    assert found.expected_profit == pytest.approx(0.0316)
    nobody = trade_off.at(601)
    assert (nobody.approved, nobody.bad_rate, nobody.profit) == (0, None, 0)


def test_the_profit_cut_off_of_right_pds_lies_at_break_even():
    random = np.random.default_rng(5)
    log_odds = random.normal(-1.5, 1, 20_000)
    pd_ = 1 / (1 + np.exp(-log_odds))
    bad = (random.random(20_000) < pd_).astype(float)
    score = np.round(600 - 50 * log_odds, 1)
    offer = TradeOff(score, pd_, bad, exposure=np.ones(20_000), costs=COSTS)
    least = pd_[score >= offer.for_profit()].max()
    assert least == pytest.approx(COSTS.break_even_pd, abs=0.001)
    found = offer.at(offer.for_profit())
    assert found.profit == pytest.approx(found.expected_profit, abs=0.004)


def test_a_target_that_cannot_be_reached_is_refused(trade_off):
    with pytest.raises(EvaluationError, match=r"mean PD of 0.01 or less.* 0.0200"):
        trade_off.for_bad_rate(0.01)
    losing = TradeOff(
        np.array([1.0, 2]),
        np.array([0.9, 0.8]),
        np.array([0.0, 1]),
        exposure=np.ones(2),
        costs=COSTS,
    )
    with pytest.raises(EvaluationError, match="none of 2 cut-offs is expected to earn"):
        losing.for_profit()
