from math import sqrt

import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import brier, log_loss
from credit_scoring.evaluation.delong import compare_aucs
from credit_scoring.evaluation.differences import (
    Group,
    paired_gains,
    paired_profit,
    unpaired_gains,
    unpaired_profit,
)
from credit_scoring.evaluation.discrimination import roc_auc


def groups(seed: int, rows: int = 4000) -> tuple[Group, Group]:
    """Two models on the same applicants: one knows the risk, the other about it."""
    generator = np.random.default_rng(seed)
    risk = generator.normal(-2, 1, rows)
    bad = (generator.random(rows) < 1 / (1 + np.exp(-risk))).astype(float)
    noisy = risk + generator.normal(0, 1, rows)
    return tuple(Group(1 / (1 + np.exp(-one)), bad) for one in (risk, noisy))  # type: ignore[return-value]


def test_paired_gains_are_the_measures_apart() -> None:
    model, other = groups(1)
    gains = {gain.measure: gain for gain in paired_gains(model, other)}
    assert gains["auc"].gain == pytest.approx(
        roc_auc(model.pd_, model.bad) - roc_auc(other.pd_, other.bad)
    )
    assert gains["auc"].error == compare_aucs(model.pd_, other.pd_, model.bad).error
    assert gains["brier"].gain == pytest.approx(
        brier(other.pd_, other.bad) - brier(model.pd_, model.bad)
    )
    assert gains["log_loss"].model == pytest.approx(log_loss(model.pd_, model.bad))
    assert all(gain.gain > 3 * gain.error for gain in gains.values())


def test_the_errors_are_those_that_repetition_shows() -> None:
    repeated = [
        {g.measure: g for g in paired_gains(*groups(seed, 800))} for seed in range(200)
    ]
    for name in ("auc", "brier", "log_loss"):
        spread = np.std([one[name].gain for one in repeated])
        said = np.mean([one[name].error for one in repeated])
        assert said == pytest.approx(spread, rel=0.2)


def test_unpaired_errors_are_those_of_two_samples() -> None:
    model, _ = groups(1)
    _, other = groups(2)
    paired = {g.measure: g for g in paired_gains(*groups(1))}
    gains = {gain.measure: gain for gain in unpaired_gains(model, other)}
    squares = [(one.pd_ - one.bad) ** 2 for one in (model, other)]
    assert gains["brier"].error == pytest.approx(
        sqrt(sum(values.var(ddof=1) / values.size for values in squares))
    )
    assert gains["auc"].gain == pytest.approx(
        roc_auc(model.pd_, model.bad) - roc_auc(other.pd_, other.bad)
    )
    # Another sample's noise does not cancel.
    assert all(gains[name].error > paired[name].error for name in gains)


def test_profit_is_a_share_of_what_was_at_stake() -> None:
    # By hand: 10 and -50 of 100 each; the policy in question declined the second.
    exposure = np.array([100.0, 100.0])
    gain = paired_profit(np.array([10.0, 0.0]), np.array([10.0, -50.0]), exposure)
    assert (gain.model, gain.other) == (0.05, -0.2)
    assert gain.gain == 0.25
    # Residuals are 0 - 25 and 50 - 25, over a mean exposure of 100.
    assert gain.error == pytest.approx(np.std([-0.25, 0.25], ddof=1) / sqrt(2))
    apart = unpaired_profit(
        (np.array([10.0, 0.0]), exposure), (np.array([10.0, -50.0]), exposure)
    )
    assert apart.gain == pytest.approx(0.25)
    assert apart.error > gain.error


def test_what_cannot_be_compared_is_refused() -> None:
    model, other = groups(3, 50)
    with pytest.raises(EvaluationError, match="not of the same applicants"):
        paired_gains(model, Group(other.pd_, 1 - other.bad))
    with pytest.raises(EvaluationError, match="1 applicants with 5 at stake"):
        paired_profit(np.ones(1), np.ones(1), np.array([5.0]))
    with pytest.raises(EvaluationError, match="not in"):
        Group(np.array([0.0, 0.5]), np.array([0.0, 1.0]))


def test_selection_by_one_model_alone_flatters_the_other() -> None:
    """Two equally good models: only where both select is neither favoured."""
    generator = np.random.default_rng(11)
    alone, both = [], []
    for _ in range(40):
        risk = generator.normal(-1.5, 1, 8000)
        bad = (generator.random(8000) < 1 / (1 + np.exp(-risk))).astype(float)
        ours, theirs = (
            1 / (1 + np.exp(-(risk + generator.normal(0, 0.7, 8000)))) for _ in range(2)
        )
        for kept, among in (
            (alone, ours < 0.2),
            (both, (ours < 0.2) & (theirs < 0.2)),
        ):
            one = Group(theirs[among], bad[among]), Group(ours[among], bad[among])
            kept.append(paired_gains(*one)[0])
    flattered = np.mean([gain.gain for gain in alone])
    fair = np.mean([gain.gain for gain in both])
    error = np.std([gain.gain for gain in both]) / sqrt(40)
    assert flattered > 0.02
    assert abs(fair) < 3 * error + 0.002
