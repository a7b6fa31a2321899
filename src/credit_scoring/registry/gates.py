"""The gates of promotion: each a figure, a threshold and a verdict.

A gate fails closed: a figure that is missing or no number does not pass.
"""

import math
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field

AGAINST_CHAMPION = "auc_against_champion"


class Bounds(BaseModel):
    """A closed range."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    low: float
    high: float


class GateParameters(BaseModel):
    """What a candidate must reach.

    Attributes:
        minimum_auc: AUC on the test rows, below which nothing has a role.
        auc_margin: How much lower than the champion's a candidate's AUC may be.
        calibration_slope: Bounds on the test rows; 1 is perfect.
        calibration_intercept: Bounds on the test rows; 0 is perfect.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    minimum_auc: float = Field(ge=0.5, lt=1)
    auc_margin: float = Field(ge=0, lt=0.5)
    calibration_slope: Bounds
    calibration_intercept: Bounds


class Gate(BaseModel):
    """One gate's verdict on one candidate.

    Attributes:
        name: Names the gate, always the same.
        figure: What was measured; None if it could not be.
        threshold: What was asked for.
        passed: The verdict.
        why: The verdict in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    figure: float | None
    threshold: str
    passed: bool
    why: str


def _measured(figure: object) -> float | None:
    """Take a figure as it is, or as missing if it is no finite number."""
    if isinstance(figure, bool) or not isinstance(figure, int | float):
        return None
    return float(figure) if math.isfinite(figure) else None


def champion_gate(
    auc: object, parameters: GateParameters, *, champion_auc: object
) -> Gate:
    """Ask for an AUC not much worse than the champion's on the same rows.

    Args:
        auc: The candidate's, on the test rows.
        parameters: The margin.
        champion_auc: The champion's, on the same rows; missing fails the gate.
    """
    figure, other = _measured(auc), _measured(champion_auc)
    if other is None:
        return Gate(
            name=AGAINST_CHAMPION,
            figure=figure,
            threshold=f"at least the champion's - {parameters.auc_margin:g}",
            passed=False,
            why="the champion could not be scored on these rows",
        )
    least = other - parameters.auc_margin
    threshold = (
        f"at least {least:.4f}: the champion's {other:.4f} - {parameters.auc_margin:g}"
    )
    return _at_least(AGAINST_CHAMPION, figure, least, threshold)


def minimum_gate(auc: object, parameters: GateParameters) -> Gate:
    """Ask for the AUC that any model needs.

    Args:
        auc: The candidate's, on the test rows.
        parameters: The minimum.
    """
    least = parameters.minimum_auc
    return _at_least("minimum_auc", _measured(auc), least, f"at least {least:.4f}")


def _at_least(name: str, figure: float | None, least: float, threshold: str) -> Gate:
    if figure is None:
        why = "it was not measured"
    elif figure >= least:
        why = f"{figure:.4f} reaches it"
    else:
        why = f"{figure:.4f} is {least - figure:.4f} too low"
    return Gate(
        name=name,
        figure=figure,
        threshold=threshold,
        passed=figure is not None and figure >= least,
        why=why,
    )


def bounds_gate(name: str, figure: object, bounds: Bounds) -> Gate:
    """Ask for a figure within bounds.

    Args:
        name: Names the gate.
        figure: What was measured on the test rows.
        bounds: The lowest and highest allowed value.
    """
    value = _measured(figure)
    inside = value is not None and bounds.low <= value <= bounds.high
    if value is None:
        why = "it was not measured"
    else:
        why = f"{value:.4f} is {'inside' if inside else 'outside'}"
    return Gate(
        name=name,
        figure=value,
        threshold=f"{bounds.low:g} to {bounds.high:g}",
        passed=inside,
        why=why,
    )


def reasons_gate(codes: Mapping[str, str], texts: Mapping[str, str]) -> Gate:
    """Ask for a reason text for every feature.

    Args:
        codes: Feature -> reason code.
        texts: Reason code -> plain sentence.
    """
    silent = sorted(name for name, code in codes.items() if not texts.get(code))
    if not codes:
        why = "the features are not known"
    elif silent:
        why = f"{len(silent)} have none, first {', '.join(silent[:3])}"
    else:
        why = f"each of {len(codes)} has one"
    return Gate(
        name="reason_texts",
        figure=float(len(silent)) if codes else None,
        threshold="0 features without a reason text",
        passed=bool(codes) and not silent,
        why=why,
    )


def artifact_gate(fault: str | None) -> Gate:
    """Ask for an artifact that verifies and decides as it did when made.

    Args:
        fault: What is wrong with it; None if nothing is.
    """
    return Gate(
        name="artifact_verified",
        figure=0.0 if fault is None else 1.0,
        threshold="0 faults",
        passed=fault is None,
        why=fault or "every file and reference row is as it was made",
    )


def all_passed(gates: Iterable[Gate]) -> bool:
    """Say whether there are gates and every one passed."""
    verdicts = [gate.passed for gate in gates]
    return bool(verdicts) and all(verdicts)
