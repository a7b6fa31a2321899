"""Once an engine is warm, no application makes anything compile."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numba.core import event

from credit_scoring.boosting.ensemble import TreeEnsemble
from credit_scoring.boosting.trees import Trees
from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.model import Model
from credit_scoring.decision.policy import Policy
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.features.definition import FeatureSet, Values, feature
from credit_scoring.scorecard.model import Bin, Scorecard, ScorecardTable, Term
from credit_scoring.scorecard.scaling import ScoreScaling

COLUMN = {"type": "number", "nullable": True, "description": "A number."}
CONTRACT = {
    "name": "small",
    "version": 1,
    "title": "small",
    "columns": {
        "loan_id": {
            "source": "ID",
            "type": "string",
            "role": "id",
            "pattern": "[0-9]+",
            "description": "Identifies.",
        },
        "days": {"source": "DAYS", "role": "history", **COLUMN},
        "amount": {"source": "AMOUNT", "role": "application", **COLUMN},
        "bad": {
            "source": "BAD",
            "type": "integer",
            "role": "target",
            "description": "Bad.",
        },
    },
}


@feature(direction=1, reason="ARREARS")
def late(days: Values) -> Values:
    """Days late."""
    return days + 0.0


@feature(direction=1, reason="DEBT")
def debt(amount: Values) -> Values:
    """Debt."""
    return amount / 100.0


@feature(direction=0, reason="DEBT")
def calm(amount: Values, days: Values) -> Values:
    """Calm."""
    return amount - days


FEATURES = FeatureSet(
    name="small",
    features=(late, debt, calm),
    reasons={"ARREARS": "You paid late.", "DEBT": "You owe much."},
    source="three features of tests/decision/test_compilation.py",
)
BACKGROUND = np.array([[0.0, 1.0, 3.0], [2.0, 5.0, np.nan]])


def boosting() -> Model:
    trees = Trees(
        feature=np.array([1, 0, 0, 0], dtype=np.int32),
        threshold=np.array([2.5, -np.inf, -np.inf, -np.inf], dtype=np.float32),
        left=np.array([1, 0, 1, 2], dtype=np.int32),
        default_left=np.zeros(4, dtype=np.uint8),
        value=np.array([0, -1, 1, 0.25], dtype=np.float32),
        roots=np.array([0, 3], dtype=np.int32),
    )
    return TreeEnsemble(FEATURES.names, trees, 0.5, b"")


def scorecard() -> Model:
    term = Term(
        feature="late",
        direction=1,
        information_value=0.1,
        bins=(
            Bin(below=1.0, goods=1, bads=1, woe=0.7),
            Bin(at_least=1.0, goods=1, bads=1, woe=-0.7),
        ),
        missing=Bin(goods=0, bads=0, woe=0.0),
        coefficient=-1.0,
    )
    return Scorecard(
        ScorecardTable(features=FEATURES.names, intercept=0.0, terms=(term,))
    )


@contextmanager
def nothing_compiles() -> Iterator[None]:
    recorded: list[Any] = []
    with event.install_recorder("numba:compile") as recorder:
        yield
        recorded = recorder.buffer
    assert not recorded


@pytest.mark.parametrize("model", [boosting(), scorecard()], ids=lambda m: m.family)
def test_no_application_compiles_anything(model: Model, policy: Policy) -> None:
    contract = Contract.model_validate(CONTRACT)
    engine = DecisionEngine(
        model.with_background(BACKGROUND),
        Grading(
            Calibration(slope=1.0, intercept=0.0),
            ScoreScaling(base_score=500, base_odds=1, pdo=20),
            policy,
        ),
        features=FEATURES.compiled,
        groups=ReasonGroups(
            FEATURES.names, ("ARREARS", "DEBT", "DEBT"), FEATURES.reasons
        ),
        columns=contract.input_names,
    )
    reference = {"days": np.array([0.0, 4.0]), "amount": np.array([9.0, 77.0])}
    engine.warm_up(reference)
    decoder = RequestDecoder(contract)
    asked = [
        {"loan_id": "1", "days": 3, "amount": 950},
        {"loan_id": "2", "days": None, "amount": 1e300},
        {"loan_id": "3", "days": -0.0, "amount": 77},
    ]
    applications = [decoder.decode(json.dumps(row).encode()) for row in asked]
    strided = np.asfortranarray(np.repeat(np.arange(6.0), 2).reshape(6, 2))[::2]
    read_only = np.array([1, 2], dtype=np.int64)
    read_only.setflags(write=False)
    with nothing_compiles():
        for rows in ([applications[0]], applications[:2], applications):
            for explain in (False, True):
                engine.decide_rows(decoder.rows(rows), explain=explain).rows()
        engine.decide({"days": strided[:, 0], "amount": strided[:, 1]}, explain=True)
        engine.decide({"days": read_only, "amount": read_only}, explain=True)
        engine.decide_unexplained({"days": read_only, "amount": read_only})


def test_what_compiles_is_noticed() -> None:
    import numba

    with pytest.raises(AssertionError), nothing_compiles():
        numba.njit(lambda value: value + 1)(1)
