import numpy as np
import pytest

from credit_scoring.decision.background import just_approved
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.parameters import BackgroundParameters
from credit_scoring.errors import PolicyError

# Amounts -70, -75, ... score 520.2, 521.6, ...; 1.44 points a step.
AMOUNTS = np.array([50.0, -100.0, -75.0, -70.0, -200.0, -75.0])


def background(engine: DecisionEngine, within: float, rows: int) -> list[float]:
    decisions = engine.decide({"days": np.zeros(6), "amount": AMOUNTS}, explain=False)
    parameters = BackgroundParameters(within_points=within, minimum_rows=rows)
    return (just_approved(decisions, 520.0, parameters)[:, 1] * 100).tolist()


def test_all_within_the_width_are_chosen_lowest_first(engine: DecisionEngine) -> None:
    assert background(engine, 2.0, 1) == [-70.0, -75.0, -75.0]


def test_at_least_the_minimum_is_chosen(engine: DecisionEngine) -> None:
    assert background(engine, 0.1, 4) == [-70.0, -75.0, -75.0, -100.0]


def test_too_few_approved_are_an_error_that_says_what_to_do(
    engine: DecisionEngine,
) -> None:
    with pytest.raises(PolicyError, match=r"5 of 6 training .* at least 6"):
        background(engine, 1.0, 6)


def test_those_whom_a_rule_refers_are_not_approved(engine: DecisionEngine) -> None:
    decisions = engine.decide(
        {"days": np.array([-50.0, 0.0]), "amount": np.array([950.0, -100.0])},
        explain=False,
    )
    parameters = BackgroundParameters(within_points=1000.0, minimum_rows=1)
    assert just_approved(decisions, 520.0, parameters)[:, 1].tolist() == [-1.0]
