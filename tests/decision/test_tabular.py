"""Columns of decisions and reasons are those that objects have."""

from typing import Any

import numpy as np
import pytest

from credit_scoring.decision import tabular
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.policy import Policy
from credit_scoring.decision.tabular import TabularEngine
from credit_scoring.decision.uncertainty import Uncertainty

KERNELS: list[Any] = ["list_reasons", "_first_outside"]


@pytest.fixture(params=["compiled", "interpreted"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "interpreted":
        for name in KERNELS:
            kernel = getattr(tabular, name)
            monkeypatch.setattr(tabular, name, kernel.py_func)


def rows_of_every_kind() -> np.ndarray[Any, np.dtype[np.float64]]:
    generator = np.random.default_rng(3)
    rows = generator.uniform(-2, 12, (400, 2))
    rows[generator.random(rows.shape) < 0.1] = np.nan
    return np.ascontiguousarray(rows)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("explain", [False, True])
def test_reasons_are_those_of_the_engine(
    engine: DecisionEngine, uncertainty: Uncertainty, policy: Policy, explain: bool
) -> None:
    outside = {
        "code": "POLICY_OUTSIDE",
        "outcome": "refer",
        "text": "We know none like it.",
        "when": {"outside_training": 1},
    }
    given = policy.model_dump(by_alias=True)
    for rule in given["rules"]:
        rule["when"] = {n: v for n, v in rule["when"].items() if v is not None}
    wary = Policy.model_validate({**given, "rules": [*given["rules"], outside]})
    cautious = DecisionEngine(
        engine.model,
        type(engine.grading)(engine.grading.calibration, engine.grading.scaling, wary),
        features=engine.features,
        groups=engine.groups,
        columns=engine.columns,
        uncertainty=uncertainty,
    )
    rows = rows_of_every_kind()
    for one in (engine, cautious):
        made = TabularEngine(one)
        expected = one.decide_rows(rows, explain=explain)
        decisions, reasons = made.decide(rows, explain=explain)
        assert reasons is not None
        assert decisions.pd_.tobytes() == expected.pd_.tobytes()
        assert decisions.outcome.tolist() == expected.outcome.tolist()
        told = [reasons.of_row(row, made.vocabulary) for row in range(len(rows))]
        assert told == expected.reasons
        assert {len(one) for one in told} > {1}


def test_reasons_are_given_only_where_they_are_asked_for(
    engine: DecisionEngine,
) -> None:
    decisions, reasons = TabularEngine(engine).decide(
        rows_of_every_kind(), explain=True, reasons=False
    )
    assert reasons is None
    assert not any(decisions.reasons)


def test_nothing_outside_the_range_has_no_place() -> None:
    ranges = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    for kernel in (tabular._first_outside, tabular._first_outside.py_func):  # type: ignore[attr-defined]
        assert kernel(np.array([[np.nan, 0.5]]), 0, ranges) == -1
        assert kernel(np.array([[np.nan, np.nan]]), 0, ranges) == 1


def test_a_row_has_four_reasons_at_most_and_those_behind_it_keep_theirs() -> None:
    none, four = [-1, -1, -1, -1], [0, 1, 2, 3]
    speakers = np.array([[*four, 1], [*none, 0], [*none, 1], [0, -1, -1, -1, 1]])
    strongest = np.array([[[n, n] for n in four]] * 3)
    lost = -np.arange(12.0).reshape(3, 4) - 1
    ranges = np.array([[0.0] * 4, [1.0] * 4, [1.0] * 4])
    for kernel in (tabular.list_reasons, tabular.list_reasons.py_func):  # type: ignore[attr-defined]
        code, subject = np.full((4, 4), -1), np.full((4, 4), -1)
        points, count = np.full((4, 4), np.nan), np.zeros(4, np.int64)
        rules = np.array([0, 1, 2, 3])
        kernel(
            speakers,
            strongest,
            lost,
            10,
            rules,
            np.full((4, 4), 0.5),
            ranges,
            code,
            subject,
            points,
            count,
        )
        assert count.tolist() == [4, 0, 4, 4]
        assert code.tolist() == [[10, 11, 12, 13], none, four, [10, 0, 1, 2]]
        assert points[2].tolist() == [-5.0, -6.0, -7.0, -8.0]
        assert points[3, 1:].tolist() == [-9.0, -10.0, -11.0]
        assert np.isnan(points[0]).all()


def test_where_nobody_speaks_there_is_no_reason(engine: DecisionEngine) -> None:
    approved = np.array([[-40.0, -300.0]] * 3)
    decisions, reasons = TabularEngine(engine).decide(approved, explain=False)
    assert reasons is not None
    assert decisions.outcome.tolist() == [0, 0, 0]
    assert reasons.count.tolist() == [0, 0, 0]
