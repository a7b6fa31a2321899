"""A gate of promotion: a figure, its interval, a threshold and a verdict.

A gate fails closed: a figure that is missing or no number does not pass.
"""

import math
from collections.abc import Callable, Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from credit_scoring.errors import CreditScoringError
from credit_scoring.evaluation.measures import Measure
from credit_scoring.registry.gate_parameters import Bounds

# What compares with the champion: a challenger need not reach it.
AGAINST_CHAMPION = frozenset({"auc_against_champion", "profit_against_champion"})


class Gate(BaseModel):
    """One gate's verdict on one candidate.

    Attributes:
        name: Names the gate, always the same.
        figure: What was measured; None if it could not be.
        low: Lower end of its interval; None without one.
        high: Upper end of it.
        threshold: What was asked for.
        passed: The verdict.
        why: The verdict in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    figure: float | None
    low: float | None = None
    high: float | None = None
    threshold: str
    passed: bool
    why: str


def _measured(figure: object) -> float | None:
    """Take a figure as it is, or as missing if it is no finite number."""
    if isinstance(figure, bool) or not isinstance(figure, int | float):
        return None
    return float(figure) if math.isfinite(figure) else None


def _written(figure: float) -> str:
    """Write a count without decimals, and all else with four."""
    return f"{figure:,.0f}" if float(figure).is_integer() else f"{figure:.4f}"


def unmeasured(name: str, threshold: str, why: str = "") -> Gate:
    """Refuse, as there is no figure.

    Args:
        name: Names the gate.
        threshold: What was asked for.
        why: Why there is none, if that is known.
    """
    return Gate(
        name=name,
        figure=None,
        threshold=threshold,
        passed=False,
        why="it was not measured" + (f": {why}" if why else ""),
    )


def fail_closed(name: str, threshold: str, ask: Callable[[], Gate]) -> Gate:
    """Ask a gate, and refuse if what it needs cannot be had.

    Args:
        name: Names the gate.
        threshold: What is asked for.
        ask: Gives the verdict.
    """
    try:
        return ask()
    except CreditScoringError as error:
        return unmeasured(name, threshold, str(error))


def at_least(
    name: str, measure: Measure | None, least: float, *, by_low: bool = False
) -> Gate:
    """Ask for a figure that reaches a threshold.

    Args:
        name: Names the gate.
        measure: What was measured; None, or a figure that is no number, fails.
        least: The threshold.
        by_low: Ask the lower end of the interval rather than the figure.
    """
    threshold = f"at least {least:g}" + (" by its lower end" if by_low else "")
    return _compared(name, measure, threshold, by_low=by_low, least=least)


def at_most(
    name: str, measure: Measure | None, most: float, *, by_high: bool = False
) -> Gate:
    """Ask for a figure that stays below a threshold.

    Args:
        name: Names the gate.
        measure: What was measured; None, or a figure that is no number, fails.
        most: The threshold.
        by_high: Ask the upper end of the interval rather than the figure.
    """
    threshold = f"at most {most:g}" + (" by its upper end" if by_high else "")
    return _compared(name, measure, threshold, by_high=by_high, most=most)


def within(
    name: str, measure: Measure | None, bounds: Bounds, *, whole: bool = False
) -> Gate:
    """Ask for a figure within bounds.

    Args:
        name: Names the gate.
        measure: What was measured; None, or a figure that is no number, fails.
        bounds: The lowest and highest allowed value.
        whole: Ask the whole interval rather than the figure.
    """
    threshold = f"{bounds.low:g} to {bounds.high:g}"
    return _compared(
        name,
        measure,
        threshold + (" for the whole interval" if whole else ""),
        by_low=whole,
        by_high=whole,
        least=bounds.low,
        most=bounds.high,
    )


def _compared(  # noqa: PLR0913 - a threshold from below, from above, or both
    name: str,
    measure: Measure | None,
    threshold: str,
    *,
    by_low: bool = False,
    by_high: bool = False,
    least: float = -math.inf,
    most: float = math.inf,
) -> Gate:
    figure, low, high = (
        _measured(value)
        for value in (
            (measure.value, measure.low, measure.high) if measure else (None,) * 3
        )
    )
    lowest, highest = low if by_low else figure, high if by_high else figure
    if figure is None or lowest is None or highest is None:
        return unmeasured(name, threshold)
    if lowest < least:
        verdict = f"{_written(lowest)} is {_written(least - lowest)} too low"
    elif highest > most:
        verdict = f"{_written(highest)} is {_written(highest - most)} too high"
    else:
        verdict = f"{_written(figure)} is within it"
    return Gate(
        name=name,
        figure=figure,
        low=low,
        high=high,
        threshold=threshold,
        passed=least <= lowest and highest <= most,
        why=verdict,
    )


def none_of(name: str, count: int, what: str, *, of: int, where: str = "") -> Gate:
    """Ask that something never happens.

    Args:
        name: Names the gate.
        count: How often it happened.
        what: What happened, in words.
        of: How often it might have; 0 fails, as nothing was looked at.
        where: Where it happened, if it did.
    """
    if not of:
        return unmeasured(name, f"0 {what}", "there was nothing to look at")
    return Gate(
        name=name,
        figure=float(count),
        threshold=f"0 {what}",
        passed=count == 0,
        why=f"{count:,} of {of:,}" + (f", {where}" if count and where else ""),
    )


def reasons_gate(codes: Mapping[str, str], texts: Mapping[str, str]) -> Gate:
    """Ask for a reason text for every feature.

    Args:
        codes: Feature -> reason code.
        texts: Reason code -> plain sentence.
    """
    silent = sorted(name for name, code in codes.items() if not texts.get(code))
    return none_of(
        "reason_texts",
        len(silent),
        "features without a reason text",
        of=len(codes),
        where=f"first {', '.join(silent[:3])}",
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
