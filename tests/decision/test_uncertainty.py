"""Intervals of the PD, and the training range, worked by hand."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.policy import Policy
from credit_scoring.decision.uncertainty import (
    FeatureRange,
    PdInterval,
    PdIntervals,
    Uncertainty,
    places_outside,
)
from credit_scoring.errors import PolicyError

FEATURES = ("late", "debt", "calm")
OUTSIDE = {
    "code": "POLICY_OUTSIDE_TRAINING",
    "outcome": "refer",
    "text": "We know none like it.",
    "when": {"outside_training": 1},
}


@pytest.mark.parametrize(
    ("margin", "low", "high"),
    [(-9.0, 0.0, 0.3), (-1.0, 0.2, 0.7), (0.99, 0.2, 0.7), (1.0, 0.6, 1.0)],
)
def test_an_interval_holds_from_its_margin_on(
    uncertainty: Uncertainty, margin: float, low: float, high: float
) -> None:
    pd_ = (low + high) / 2
    found = uncertainty.pd_intervals.at(margin, pd_)
    assert found == PdInterval(low, high, 0.9)


def test_an_interval_holds_its_pd(uncertainty: Uncertainty) -> None:
    assert uncertainty.pd_intervals.at(0.0, 0.1) == PdInterval(0.1, 0.7, 0.9)
    assert uncertainty.pd_intervals.at(0.0, 0.8) == PdInterval(0.2, 0.8, 0.9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": (0.0, 0.2)}, "2 margins need 3 lower and upper ends"),
        ({"margins": (1.0, 1.0)}, "margins do not rise"),
        ({"low": (0.1, 0.0, 0.6)}, "ends fall"),
        ({"low": (0.5, 0.5, 0.6)}, "above its upper one"),
        ({"high": (0.3, 0.7, 1.5)}, r"not in \[0, 1\]"),
        ({"margins": (0.0, float("inf"))}, "finite"),
    ],
)
def test_steps_that_make_no_sense_are_refused(
    uncertainty: Uncertainty, change: dict[str, Any], message: str
) -> None:
    values = uncertainty.pd_intervals.model_dump()
    with pytest.raises(ValidationError, match=message):
        PdIntervals.model_validate({**values, **change})


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"low 2\.0 is above high 1\.0"):
        FeatureRange(low=2, high=1, missing=False)


@pytest.mark.parametrize(
    ("row", "places"),
    [
        ([0, 0, 0], []),
        ([5, 9, 1e9], []),
        ([np.nan, 3, np.nan], []),
        ([5.1, 3, 0], [0]),
        ([-0.1, 9.1, 0], [0, 1]),
        ([0, np.nan, 0], [1]),
        ([np.inf, 0, 0], [0]),
    ],
)
def test_outside_is_beyond_the_range_or_missing_for_the_first_time(
    uncertainty: Uncertainty, row: list[float], places: list[int]
) -> None:
    ranges = uncertainty.ranges_of(FEATURES)
    assert places_outside(np.array(row, np.float64), ranges) == places


def ranged_engine(
    engine: DecisionEngine, uncertainty: Uncertainty | None, **changes: Any
) -> DecisionEngine:
    """The engine with the rule of the training range beside its own."""
    grading = engine.grading
    values = grading.policy.model_dump(by_alias=True)
    values["rules"] = [*values["rules"], {**OUTSIDE, **changes}]
    policy = Policy.model_validate(values)
    return DecisionEngine(
        engine.model,
        Grading(grading.calibration, grading.scaling, policy),
        features=engine.features,
        groups=engine.groups,
        columns=engine.columns,
        uncertainty=uncertainty,
    )


def columns(days: float, amount: float) -> dict[str, np.ndarray]:
    return {"days": np.array([days]), "amount": np.array([amount])}


def test_an_applicant_outside_is_referred_with_the_first_such_feature(
    engine: DecisionEngine, uncertainty: Uncertainty
) -> None:
    ranged = ranged_engine(engine, uncertainty)
    safe = columns(0, -600)  # debt -6: safer than any in training
    assert engine.decide(safe, explain=False).row(0).decision == "approve"
    decision = ranged.decide(safe, explain=False).row(0)
    assert decision.decision == "refer"
    (reason,) = decision.reasons
    assert (reason.code, reason.feature, reason.points) == (
        "POLICY_OUTSIDE_TRAINING",
        "debt",
        None,
    )


def test_inside_nothing_changes(
    engine: DecisionEngine, uncertainty: Uncertainty
) -> None:
    ranged = ranged_engine(engine, uncertainty)
    for days, amount in ((0, 0), (1, 77), (2, 500), (4, 890)):
        asked = columns(days, amount)
        assert (
            ranged.decide(asked, explain=True).rows()
            == engine.decide(asked, explain=True).rows()
        )


def test_fewer_features_outside_than_asked_for_do_not_fire(
    engine: DecisionEngine, uncertainty: Uncertainty
) -> None:
    ranged = ranged_engine(engine, uncertainty, when={"outside_training": 2})
    one, two = columns(0, -600), columns(-1, -600)
    assert ranged.decide(one, explain=False).row(0).decision == "approve"
    assert ranged.decide(two, explain=False).row(0).decision == "refer"


def test_a_decline_is_not_softened(
    engine: DecisionEngine, uncertainty: Uncertainty
) -> None:
    ranged = ranged_engine(engine, uncertainty)
    asked = columns(6, 1000)
    codes = [r.code for r in ranged.decide(asked, explain=False).row(0).reasons]
    assert ranged.decide(asked, explain=False).row(0).decision == "decline"
    assert codes == ["R_LATE"]


def test_a_row_is_judged_by_itself(
    engine: DecisionEngine, uncertainty: Uncertainty
) -> None:
    ranged = ranged_engine(engine, uncertainty)
    random = np.random.default_rng(3)
    rows = np.column_stack(
        [random.integers(-1, 8, 200), random.integers(-300, 1200, 200)]
    ).astype(np.float64)
    rows[::17] = np.nan
    together = ranged.decide_rows(rows, explain=True)
    outside = [
        bool(places_outside(x, uncertainty.ranges_of(FEATURES)))
        for x in together.features
    ]
    assert 20 < sum(outside) < 180
    for row, is_outside in enumerate(outside):
        alone = ranged.decide_rows(rows[row : row + 1].copy(), explain=True).row(0)
        assert repr(alone) == repr(together.row(row))
        assert alone.decision != "approve" or not is_outside


def test_a_rule_of_the_range_needs_a_range(engine: DecisionEngine) -> None:
    with pytest.raises(PolicyError, match="which the model was made without"):
        ranged_engine(engine, None)


def test_a_pd_has_an_interval_if_there_is_one(
    engine: DecisionEngine, uncertainty: Uncertainty
) -> None:
    ranged = ranged_engine(engine, uncertainty)
    decision = ranged.decide(columns(1, 10), explain=False).row(0)
    assert decision.margin == pytest.approx(0.6)
    assert ranged.pd_interval(decision) == PdInterval(0.2, 0.7, 0.9)
    assert ranged.pd_interval(ranged.decide_without_history()) is None
    assert engine.pd_interval(decision) is None


def test_an_older_policy_keeps_its_version(policy: Policy) -> None:
    assert "outside_training" not in policy.model_dump_json()
    ranged = Policy.model_validate(
        {**policy.model_dump(by_alias=True), "rules": [OUTSIDE]}
    )
    assert ranged.model_dump(by_alias=True)["rules"][0]["when"] == {
        "column": None,
        "feature": None,
        "at_least": None,
        "at_most": None,
        "equals": None,
        "outside_training": 1,
    }
    again = Policy.model_validate(ranged.model_dump(mode="json", by_alias=True))
    assert again.version == ranged.version != policy.version
