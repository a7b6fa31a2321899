"""Grading by score and rules, against the definition in plain numpy."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from credit_scoring.decision import grading as grading_kernels
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.decisions import Outcome
from credit_scoring.decision.grading import Grading, grade_rows, tabulate_rules
from credit_scoring.decision.policy import Policy, Rule
from credit_scoring.scorecard.scaling import ScoreScaling

Values = NDArray[np.float64]

COLUMNS = ("days", "amount")
FEATURES = ("late", "debt", "calm")
KERNELS = [grade_rows, grade_rows.py_func]  # type: ignore[attr-defined]


def policy_with(rules: list[dict[str, Any]], **changes: Any) -> Policy:
    values = {
        "approve_from": 520,
        "decline_below": 480,
        "bands": [
            {"code": "A", "from": 520},
            {"code": "B", "from": 480},
            {"code": "C"},
        ],
        "rules": rules,
        "history_unavailable_text": "No history.",
    }
    return Policy.model_validate({**values, **changes})


def rule(code: str = "R", outcome: str = "refer", **when: Any) -> dict[str, Any]:
    return {"code": code, "outcome": outcome, "text": "t", "when": when}


def graded(  # noqa: PLR0913, PLR0917 - a kernel's arguments
    kernel: Any,
    policy: Policy,
    score: Values,
    columns: Values,
    features: Values,
    explain: bool,
) -> tuple[list[int], list[int], list[list[int]]]:
    """Band, outcome and speakers of each row."""
    grading = Grading(
        Calibration(slope=1.0, intercept=0.0),
        ScoreScaling(base_score=500, base_odds=1, pdo=20),
        policy,
    )
    band, outcome = np.full((2, len(score)), 77, np.int64)
    speakers = np.full((len(score), 5), 77, np.int64)
    table = tabulate_rules(policy, columns=COLUMNS, features=FEATURES)
    kernel(
        *(score, grading.limits, grading.cut_offs, columns, features),
        *(*table, explain, band, outcome, speakers),
    )
    return band.tolist(), outcome.tolist(), speakers.tolist()


def by_score(score: float, policy: Policy | None = None) -> tuple[int, int]:
    nothing = np.zeros((1, 3))
    (band,), (outcome,), _ = graded(
        grade_rows,
        policy or policy_with([]),
        np.array([score]),
        nothing,
        nothing,
        False,
    )
    return band, outcome


@pytest.mark.parametrize(
    ("score", "band", "outcome"),
    [
        (520.0, 0, 0),
        (519.9, 1, 1),
        (480.0, 1, 1),
        (479.9, 2, 2),
        (1e9, 0, 0),
        (-1e9, 2, 2),
    ],
)
def test_cut_offs_and_bands_include_their_lower_end(
    score: float, band: int, outcome: int
) -> None:
    assert by_score(score) == (band, outcome)


def test_equal_cut_offs_leave_nothing_to_refer() -> None:
    policy = policy_with(
        [],
        approve_from=500,
        decline_below=500,
        bands=[{"code": "A", "from": 500}, {"code": "B"}],
    )
    assert [by_score(score, policy)[1] for score in (500.0, 499.9)] == [0, 2]


@pytest.mark.parametrize("place", [{"column": "amount"}, {"feature": "debt"}])
@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"at_least": 2}, [0, 1, 1, 0]),
        ({"at_most": 2}, [1, 1, 0, 0]),
        ({"equals": 2}, [0, 1, 0, 0]),
    ],
)
def test_conditions_include_their_limit_and_no_missing_value(
    place: dict[str, str], test: dict[str, float], expected: list[int]
) -> None:
    policy = policy_with([rule(**place, **test)])
    values = np.array([[0.0, value, 0.0] for value in (1.0, 2.0, 3.0, np.nan)])
    good = np.full(4, 600.0)
    _, outcome, _ = graded(grade_rows, policy, good, values, values, False)
    assert outcome == expected


def test_rules_are_laid_out_as_they_are_written() -> None:
    policy = policy_with(
        [
            rule("A", "refer", column="amount", at_least=900),
            rule("B", "decline", feature="calm", at_most=3),
            rule("C", "refer", column="days", equals=7),
        ]
    )
    table = tabulate_rules(policy, columns=COLUMNS, features=FEATURES)
    assert table.sources.tolist() == [0, 1, 0]
    assert table.places.tolist() == [1, 2, 0]
    assert table.tests.tolist() == [0, 1, 2]
    assert table.levels.tolist() == [900.0, 3.0, 7.0]
    assert table.outcomes.tolist() == [1, 2, 1]


def test_the_line_is_calibration_and_scale() -> None:
    scaling = ScoreScaling(base_score=500, base_odds=2, pdo=20)
    grading = Grading(Calibration(slope=1.5, intercept=0.5), scaling, policy_with([]))
    assert grading.line.tolist() == [1.5, 0.5, scaling.offset, scaling.factor]


def holds(rule: Rule, columns: Values, features: Values) -> NDArray[np.bool_]:
    when = rule.when
    if when.feature is not None:
        values = features[:, FEATURES.index(when.feature)]
    else:
        values = columns[:, COLUMNS.index(when.subject)]
    if when.at_least is not None:
        return values >= when.at_least
    if when.at_most is not None:
        return values <= when.at_most
    return values == when.equals


def defined(
    policy: Policy, score: Values, columns: Values, features: Values, explain: bool
) -> tuple[list[int], list[int], list[list[int]]]:
    """The same by masks over all rows, as the policy is described."""
    limits = np.array([b.from_ for b in policy.bands if b.from_ is not None])
    band = (score[:, None] < limits).sum(axis=1)
    alone = np.where(score >= policy.approve_from, 0, 1)
    alone[score < policy.decline_below] = 2
    outcomes = np.array([Outcome.from_label(r.outcome) for r in policy.rules], int)
    fired = np.array([holds(r, columns, features) for r in policy.rules], bool)
    fired = fired.reshape(len(policy.rules), len(score)).T
    worst = np.where(fired, outcomes, 0).max(axis=1, initial=0)
    outcome = np.maximum(alone, worst)
    decisive = fired & (outcomes == outcome[:, None])
    speaks = (
        np.ones(len(score), bool) if explain else (alone == outcome) & (outcome > 0)
    )
    speaks &= ~((outcome == 2) & decisive.any(axis=1))
    speakers = [
        [*[*np.flatnonzero(decisive[row]).tolist(), -1, -1, -1, -1][:4], int(own)]
        for row, own in enumerate(speaks.tolist())
    ]
    return band.tolist(), outcome.tolist(), speakers


few = st.sampled_from([0.0, 1.0, 2.0, np.nan])
rules = st.lists(
    st.tuples(
        st.sampled_from(["refer", "decline"]),
        st.sampled_from([*COLUMNS, *FEATURES]),
        st.sampled_from(["at_least", "at_most", "equals"]),
        st.sampled_from([0.0, 1.0, 2.0]),
    ),
    max_size=7,
)


@given(
    rules,
    arrays(np.float64, (4,), elements=st.sampled_from([479.9, 480.0, 519.9, 520.0])),
    arrays(np.float64, (4, 2), elements=few),
    arrays(np.float64, (4, 3), elements=few),
    st.booleans(),
)
def test_kernel_grades_as_defined(
    drawn: list[tuple[str, str, str, float]],
    score: Values,
    columns: Values,
    features: Values,
    explain: bool,
) -> None:
    policy = policy_with(
        [
            rule(
                f"R_{place}",
                outcome,
                **{"column" if name in COLUMNS else "feature": name, test: level},
            )
            for place, (outcome, name, test, level) in enumerate(drawn)
        ]
    )
    expected = defined(policy, score, columns, features, explain)
    for kernel in KERNELS:
        assert graded(kernel, policy, score, columns, features, explain) == expected


@pytest.mark.parametrize("kernel", KERNELS)
def test_of_more_rules_than_there_are_places_the_first_speak(kernel: Any) -> None:
    policy = policy_with([rule(f"R{n}", column="amount", at_least=1) for n in range(6)])
    one = np.ones((1, 3))
    _, outcome, speakers = graded(kernel, policy, np.array([600.0]), one, one, False)
    assert outcome == [1]
    assert speakers == [[0, 1, 2, 3, 0]]


RANGES = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
ROWS = np.array([[0.5, 1.0, 0.0], [2.0, -1.0, 0.5], [np.nan, np.nan, 2.0]])


@pytest.mark.parametrize("kernel", KERNELS)
def test_so_many_values_outside_of_training_fire_a_rule(kernel: Any) -> None:
    policy = policy_with([rule(outside_training=2)])
    grading = Grading(
        Calibration(slope=1.0, intercept=0.0),
        ScoreScaling(base_score=500, base_odds=1, pdo=20),
        policy,
    )
    band, outcome = np.zeros((2, 3), np.int64)
    speakers = np.zeros((3, 5), np.int64)
    table = tabulate_rules(policy, columns=COLUMNS, features=FEATURES, ranges=RANGES)
    kernel(
        *(np.full(3, 600.0), grading.limits, grading.cut_offs, np.zeros((3, 2)), ROWS),
        *(*table, False, band, outcome, speakers),
    )
    assert outcome.tolist() == [0, 1, 1]


def test_the_count_is_the_same_in_python_and_compiled() -> None:
    count = grading_kernels._count_outside
    for form in (count, count.py_func):  # type: ignore[attr-defined]
        assert [form(ROWS, row, RANGES) for row in range(3)] == [0, 2, 2]


def test_a_score_decides_the_same_in_python_and_compiled() -> None:
    decided = grading_kernels._outcome_by_score
    cut_offs = np.array([520.0, 480.0])
    for form in (decided, decided.py_func):  # type: ignore[attr-defined]
        outcomes = [form(score, cut_offs) for score in (520.0, 519.9, 480.0, 479.9)]
        assert outcomes == [
            Outcome.APPROVE,
            Outcome.REFER,
            Outcome.REFER,
            Outcome.DECLINE,
        ]


def test_a_missing_value_passes_no_test() -> None:
    passes = grading_kernels._passes
    for form in (passes, passes.py_func):  # type: ignore[attr-defined]
        for test in range(3):
            assert form(test, 2.0, 2.0)
            assert not form(test, np.nan, 2.0)
        assert not form(0, 1.0, 2.0)
        assert not form(1, 3.0, 2.0)
