"""A small model, features and policy to decide with, worked by hand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.policy import Policy
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.decision.uncertainty import (
    FeatureRange,
    PdIntervals,
    Uncertainty,
)
from credit_scoring.errors import ArtifactError
from credit_scoring.scorecard.scaling import ScoreScaling

Values = NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """Margin = sum of weight times feature; missing counts as zero."""

    family: ClassVar[str] = "linear"
    features: tuple[str, ...]
    weights: tuple[float, ...]
    background: Values | None = None

    def margin(self, x: Values) -> Values:
        total = np.zeros(len(x))
        for index, weight in enumerate(self.weights):
            total += weight * np.nan_to_num(x[:, index])
        return total

    def contributions(self, x: Values) -> Values:
        if self.background is None:
            raise ArtifactError("no background")
        mean = np.nan_to_num(self.background).mean(axis=0)
        return (np.nan_to_num(x) - mean) * np.array(self.weights)

    def with_background(self, background: Values) -> Self:
        return type(self)(self.features, self.weights, background)

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise NotImplementedError


@dataclass(frozen=True)
class TwoColumnFeatures:
    names: tuple[str, ...] = ("late", "debt", "calm")
    inputs: tuple[str, ...] = ("days", "amount")

    def compute_rows(self, rows: Values, places: NDArray[np.int64]) -> Values:
        days, amount = rows[:, places].T
        return np.stack([days, amount / 100.0, -amount / 1000.0], axis=1).copy()


def policy_values() -> dict[str, Any]:
    return {
        "approve_from": 520,
        "decline_below": 480,
        "bands": [
            {"code": "A", "from": 520},
            {"code": "B", "from": 480},
            {"code": "C"},
        ],
        "rules": [
            {
                "code": "R_BIG",
                "outcome": "refer",
                "text": "It is large.",
                "when": {"column": "amount", "at_least": 900},
            },
            {
                "code": "R_LATE",
                "outcome": "decline",
                "text": "It is late.",
                "when": {"feature": "late", "at_least": 3},
            },
            {
                "code": "R_EXACT",
                "outcome": "refer",
                "text": "It is a test case.",
                "when": {"column": "amount", "equals": 77},
            },
        ],
        "history_unavailable_text": "No history.",
    }


@pytest.fixture
def policy() -> Policy:
    return Policy.model_validate(policy_values())


@pytest.fixture
def scaling() -> ScoreScaling:
    return ScoreScaling(base_score=500, base_odds=1, pdo=20)


@pytest.fixture
def groups() -> ReasonGroups:
    return ReasonGroups(
        features=("late", "debt", "calm"),
        codes=("ARREARS", "DEBT", "DEBT"),
        texts={"ARREARS": "You paid late.", "DEBT": "You owe much."},
    )


@pytest.fixture
def engine(
    policy: Policy, scaling: ScoreScaling, groups: ReasonGroups
) -> DecisionEngine:
    background = np.array([[0.0, -1.0, 0.1], [0.0, -1.0, 0.1]])
    model = LinearModel(groups.features, (0.5, 1.0, 0.0), background)
    grading = Grading(Calibration(slope=1.0, intercept=0.0), scaling, policy)
    return DecisionEngine(
        model,
        grading,
        features=TwoColumnFeatures(),
        groups=groups,
        columns=("days", "amount"),
    )


@pytest.fixture
def uncertainty() -> Uncertainty:
    """Late 0 to 5 and maybe missing, debt 0 to 9 and never missing, calm unused."""
    return Uncertainty(
        pd_intervals=PdIntervals(
            level=0.9,
            window_rows=50,
            margins=(-1.0, 1.0),
            low=(0.0, 0.2, 0.6),
            high=(0.3, 0.7, 1.0),
        ),
        ranges={
            "late": FeatureRange(low=0, high=5, missing=True),
            "debt": FeatureRange(low=0, high=9, missing=False),
        },
    )
