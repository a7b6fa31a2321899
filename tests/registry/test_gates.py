import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.measures import Measure
from credit_scoring.registry.gate_parameters import Bounds
from credit_scoring.registry.gates import (
    Gate,
    all_passed,
    artifact_gate,
    at_least,
    at_most,
    fail_closed,
    none_of,
    reasons_gate,
    unmeasured,
    within,
)

BOUNDS = Bounds(low=0.9, high=1.1)
NO_NUMBERS = [None, float("nan"), float("inf"), "0.99", True]


@pytest.mark.parametrize(("figure", "passed"), [(0.7, True), (0.6999, False)])
def test_a_figure_must_reach_the_threshold(figure: float, passed: bool) -> None:
    gate = at_least("g", Measure(figure, 0.5, 0.9), 0.7)
    assert gate.passed is passed
    assert (gate.figure, gate.low, gate.high) == (figure, 0.5, 0.9)
    assert gate.threshold == "at least 0.7"


def test_the_lower_end_may_be_asked_instead() -> None:
    gate = at_least("g", Measure(0.8, 0.65, 0.9), 0.7, by_low=True)
    assert not gate.passed
    assert gate.threshold == "at least 0.7 by its lower end"
    assert gate.why == "0.6500 is 0.0500 too low"
    assert at_least("g", Measure(0.8, 0.7, 0.9), 0.7, by_low=True).passed


def test_a_count_has_no_decimals() -> None:
    assert at_least("g", Measure(0.0, None, None), 500).why == "0 is 500 too low"
    assert at_least("g", Measure(1500.0, None, None), 500).why == "1,500 is within it"


@pytest.mark.parametrize(("figure", "passed"), [(0.1, True), (0.1001, False)])
def test_a_figure_must_stay_below_the_threshold(figure: float, passed: bool) -> None:
    assert at_most("g", Measure(figure), 0.1).passed is passed


def test_the_upper_end_may_be_asked_instead() -> None:
    gate = at_most("g", Measure(0.05, 0.0, 0.12), 0.1, by_high=True)
    assert not gate.passed
    assert gate.why == "0.1200 is 0.0200 too high"


@pytest.mark.parametrize(
    ("slope", "passed"), [(0.9, True), (1.1, True), (0.899, False), (1.101, False)]
)
def test_bounds_include_their_ends(slope: float, passed: bool) -> None:
    gate = within("calibration_slope", Measure(slope), BOUNDS)
    assert gate.passed is passed
    assert gate.threshold == "0.9 to 1.1"


@pytest.mark.parametrize(
    ("low", "high", "passed"),
    [(0.9, 1.1, True), (0.89, 1.05, False), (0.95, 1.11, False)],
)
def test_the_whole_interval_may_be_asked(low: float, high: float, passed: bool) -> None:
    gate = within("g", Measure(1.0, low, high), BOUNDS, whole=True)
    assert gate.passed is passed
    assert gate.threshold == "0.9 to 1.1 for the whole interval"


@pytest.mark.parametrize("figure", NO_NUMBERS)
def test_what_was_not_measured_does_not_pass(figure: object) -> None:
    measure = Measure(figure, 1.0, 1.0)  # type: ignore[arg-type]
    gates = [
        at_least("g", measure, 0.0),
        at_most("g", measure, 9.0),
        within("g", measure, BOUNDS),
        at_least("g", None, 0.0),
    ]
    for gate in gates:
        assert not gate.passed
        assert gate.figure is None
        assert gate.why == "it was not measured"


def test_an_interval_that_is_asked_for_and_missing_does_not_pass() -> None:
    assert not at_least("g", Measure(0.9), 0.0, by_low=True).passed
    assert not at_most("g", Measure(0.9), 9.0, by_high=True).passed
    assert not within("g", Measure(1.0), BOUNDS, whole=True).passed


def test_a_gate_that_cannot_be_asked_is_closed() -> None:
    def ask() -> Gate:
        raise EvaluationError("no bads")

    gate = fail_closed("g", "at least 1", ask)
    assert not gate.passed
    assert gate.why == "it was not measured: no bads"
    assert gate == unmeasured("g", "at least 1", "no bads")


def test_what_must_never_happen_must_have_been_looked_for() -> None:
    assert none_of("g", 0, "faults", of=7).passed
    gate = none_of("g", 2, "faults", of=7, where="first in a")
    assert (gate.passed, gate.figure, gate.why) == (False, 2.0, "2 of 7, first in a")
    nothing = none_of("g", 0, "faults", of=0)
    assert not nothing.passed
    assert nothing.why == "it was not measured: there was nothing to look at"


def test_every_feature_needs_a_reason_text() -> None:
    codes = {"a": "X", "b": "Y", "c": "Z"}
    assert reasons_gate(codes, {"X": "t", "Y": "t", "Z": "t"}).passed
    gate = reasons_gate(codes, {"X": "t", "Y": ""})
    assert (gate.passed, gate.figure) == (False, 2.0)
    assert gate.why == "2 of 3, first b, c"


def test_unknown_features_have_no_reasons() -> None:
    gate = reasons_gate({}, {"X": "t"})
    assert (gate.passed, gate.figure) == (False, None)


def test_an_artifact_with_a_fault_does_not_pass() -> None:
    assert artifact_gate(None).passed
    gate = artifact_gate("model/trees.npz altered")
    assert (gate.passed, gate.why) == (False, "model/trees.npz altered")


def test_no_gates_are_no_pass() -> None:
    assert not all_passed([])
    assert all_passed([artifact_gate(None)])
    assert not all_passed([artifact_gate(None), artifact_gate("x")])
