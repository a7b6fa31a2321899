import pytest

from credit_scoring.registry.gates import (
    Bounds,
    GateParameters,
    all_passed,
    artifact_gate,
    bounds_gate,
    champion_gate,
    minimum_gate,
    reasons_gate,
)

PARAMETERS = GateParameters(
    minimum_auc=0.7,
    auc_margin=0.01,
    calibration_slope=Bounds(low=0.9, high=1.1),
    calibration_intercept=Bounds(low=-0.2, high=0.2),
)
NO_NUMBERS = [None, float("nan"), float("inf"), "0.99", True]


@pytest.mark.parametrize(
    ("auc", "passed"), [(0.79, True), (0.77, True), (0.769, False)]
)
def test_a_candidate_may_be_worse_than_the_champion_by_the_margin(
    auc: float, passed: bool
) -> None:
    gate = champion_gate(auc, PARAMETERS, champion_auc=0.78)
    assert (gate.name, gate.figure, gate.passed) == (
        "auc_against_champion",
        auc,
        passed,
    )
    assert gate.threshold == "at least 0.7700: the champion's 0.7800 - 0.01"


@pytest.mark.parametrize("champion_auc", NO_NUMBERS)
def test_a_champion_that_cannot_be_scored_lets_nobody_pass(
    champion_auc: object,
) -> None:
    gate = champion_gate(0.99, PARAMETERS, champion_auc=champion_auc)
    assert not gate.passed
    assert gate.why == "the champion could not be scored on these rows"


@pytest.mark.parametrize(("auc", "passed"), [(0.7, True), (0.6999, False)])
def test_every_candidate_needs_the_minimum(auc: float, passed: bool) -> None:
    gate = minimum_gate(auc, PARAMETERS)
    assert gate.passed is passed
    assert gate.threshold == "at least 0.7000"


@pytest.mark.parametrize("figure", NO_NUMBERS)
def test_what_was_not_measured_does_not_pass(figure: object) -> None:
    gates = [
        champion_gate(figure, PARAMETERS, champion_auc=0.5),
        minimum_gate(figure, PARAMETERS),
        bounds_gate("calibration_slope", figure, PARAMETERS.calibration_slope),
    ]
    for gate in gates:
        assert not gate.passed
        assert gate.figure is None
        assert gate.why == "it was not measured"


@pytest.mark.parametrize(
    ("slope", "passed"), [(0.9, True), (1.1, True), (0.899, False), (1.101, False)]
)
def test_bounds_include_their_ends(slope: float, passed: bool) -> None:
    gate = bounds_gate("calibration_slope", slope, PARAMETERS.calibration_slope)
    assert gate.passed is passed
    assert gate.threshold == "0.9 to 1.1"


def test_every_feature_needs_a_reason_text() -> None:
    codes = {"a": "X", "b": "Y", "c": "Z"}
    assert reasons_gate(codes, {"X": "t", "Y": "t", "Z": "t"}).passed
    gate = reasons_gate(codes, {"X": "t", "Y": ""})
    assert (gate.passed, gate.figure) == (False, 2.0)
    assert gate.why == "2 have none, first b, c"


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
