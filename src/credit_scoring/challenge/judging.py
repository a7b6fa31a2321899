"""The verdict of a challenge: the gates that are asked on outcomes, failing closed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from scipy.stats import binomtest

from credit_scoring.challenge.comparing import Compared, Comparison
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.challenge.selection import Selected
from credit_scoring.evaluation.calibration_tests import calibration_line
from credit_scoring.evaluation.measures import Measure
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.gates import (
    AGAINST_CHAMPION,
    Gate,
    all_passed,
    at_least,
    fail_closed,
    unmeasured,
    within,
)

Verdict = Literal["promote", "keep", "retire"]
# Without these an interval is about nobody: neither promotion nor retirement.
RELIABLE = frozenset({"outcomes", "bads", "followed", "arm_sizes"})


@dataclass(frozen=True)
class Judged:
    """A verdict, the gates behind it, and why in words."""

    verdict: Verdict
    why: str
    gates: tuple[Gate, ...]


def judge_challenge(
    selected: Selected,
    comparison: Comparison,
    *,
    parameters: ChallengeParameters,
    gates: GateParameters,
    evidence: Mapping[str, Any] | None,
) -> Judged:
    """Ask every gate, and say what follows.

    Args:
        selected: The pair's decisions.
        comparison: Every measure at this look.
        parameters: What decides.
        gates: What promotion asks of a candidate.
        evidence: The challenger as the last signed record judged it; None if none
            ever did.
    """
    asked = (
        *_reliability(selected, comparison, parameters),
        _primary(comparison, parameters),
        _profit(comparison, gates),
        *_calibration(comparison, gates, parameters),
        *_evidence(evidence),
    )
    reliable = all_passed(gate for gate in asked if gate.name in RELIABLE)
    primary = comparison.measures.get(parameters.deciding)
    if reliable and primary is not None and primary.high < parameters.retire_below:
        return Judged("retire", _is_worse(primary, parameters), asked)
    if all_passed(asked):
        return Judged("promote", _is_better(primary, parameters), asked)
    refused = [gate.name for gate in asked if not gate.passed]
    return Judged("keep", f"not passed: {', '.join(refused)}", asked)


def _is_worse(primary: Compared, parameters: ChallengeParameters) -> str:
    return (
        f"the challenger's {parameters.deciding} is worse, at all looks together: the "
        f"gain is {primary.gain.gain:+.5f} ({primary.low:+.5f} to "
        f"{primary.high:+.5f}), below {parameters.retire_below:+g}"
    )


def _is_better(primary: Compared | None, parameters: ChallengeParameters) -> str:
    # Its gate has passed, so it is there.
    low, gain = (primary.low, primary.gain.gain) if primary else (0.0, 0.0)
    return (
        f"every gate is passed; the challenger's {parameters.deciding} is better by "
        f"{gain:+.5f}, at all looks together by at least {low:+.5f}"
    )


def _reliability(
    selected: Selected, comparison: Comparison, parameters: ChallengeParameters
) -> Iterator[Gate]:
    sides = [g for g in (comparison.champion, comparison.challenger) if g is not None]
    rows = min((float(g.bad.size) for g in sides), default=0.0)
    bads = min((float(g.bad.sum()) for g in sides), default=0.0)
    yield at_least("outcomes", Measure(rows), parameters.minimum_outcomes)
    yield at_least("bads", Measure(bads), parameters.minimum_bads)
    share = selected.followed_share
    measured = None if share is None else Measure(share)
    yield at_least("followed", measured, parameters.followed_share)
    if parameters.design == "split":
        yield _arm_sizes(selected, parameters)


def _arm_sizes(selected: Selected, parameters: ChallengeParameters) -> Gate:
    """Ask whether the arms have the sizes that the share gives by chance.

    Source: Fabijan et al., Diagnosing Sample Ratio Mismatch in Online Controlled
        Experiments (2019), KDD; an exact binomial test.
    """
    least = parameters.balance_p
    total = len(selected.table)
    if not total:
        return unmeasured("arm_sizes", f"p at least {least:g}", "there is no decision")
    drawn = selected.asked
    p_value = float(binomtest(drawn, total, parameters.challenger_share).pvalue)
    return Gate(
        name="arm_sizes",
        figure=p_value,
        threshold=f"p at least {least:g}",
        passed=p_value >= least,
        why=(
            f"{drawn} of {total} are on the challenger's arm, expected "
            f"{parameters.challenger_share:.1%}; p is {p_value:.4g}"
        ),
    )


def _primary(comparison: Comparison, parameters: ChallengeParameters) -> Gate:
    name, found = parameters.deciding, comparison.measures.get(parameters.deciding)
    threshold = f"more than {parameters.promote_above:+g} by its lower end"
    if found is None:
        return unmeasured("primary", threshold, comparison.faults.get(name, ""))
    return Gate(
        name="primary",
        figure=found.gain.gain,
        low=found.low,
        high=found.high,
        threshold=threshold,
        passed=found.low > parameters.promote_above,
        why=(
            f"{name}: the gain is {found.gain.gain:+.5f} ({found.low:+.5f} to "
            f"{found.high:+.5f} at all looks together)"
        ),
    )


def _profit(comparison: Comparison, gates: GateParameters) -> Gate:
    found = comparison.measures.get("profit")
    measure = None
    if found is not None:
        measure = Measure(found.gain.gain, found.low, found.high)
    least = -gates.profit.margin or 0.0
    return at_least("profit_against_champion", measure, least, by_low=True)


def _calibration(
    comparison: Comparison, gates: GateParameters, parameters: ChallengeParameters
) -> Iterator[Gate]:
    asked, group = gates.calibration, comparison.challenger
    whole = asked.rule == "interval"

    def ask(part: str) -> Gate:
        name, bounds = f"calibration_{part}", getattr(asked, part)
        if group is None:
            return unmeasured(name, f"{bounds.low:g} to {bounds.high:g}")
        line = calibration_line(group.pd_, group.bad, level=asked.level)
        figures = [getattr(line, f"{part}{end}") for end in ("", "_low", "_high")]
        return within(name, Measure(*figures), bounds, whole=whole)

    parts = ("slope", "in_the_large") if parameters.ask_slope else ("in_the_large",)
    for part in parts:
        bounds = getattr(asked, part)
        yield fail_closed(
            f"calibration_{part}",
            f"{bounds.low:g} to {bounds.high:g}",
            partial(ask, part),
        )


def _evidence(evidence: Mapping[str, Any] | None) -> Iterator[Gate]:
    """Ask whether a signed record found it sound, fairness apart from the rest.

    Decisions have no protected attributes beside them, and outcomes neither.
    """
    verdicts = [] if evidence is None else list(evidence["gates"])
    fair = [gate for gate in verdicts if gate["name"].startswith("fairness")]
    rest = [
        gate
        for gate in verdicts
        if gate["name"] not in AGAINST_CHAMPION and gate not in fair
    ]
    yield _recorded("recorded_fairness", fair)
    yield _recorded("recorded_gates", rest)


def _recorded(name: str, verdicts: list[Mapping[str, Any]]) -> Gate:
    threshold = "every gate of the last signed record that judged it"
    if not verdicts:
        return unmeasured(name, threshold, "no record has such gates")
    failed = [gate["name"] for gate in verdicts if not gate["passed"]]
    return Gate(
        name=name,
        figure=float(len(verdicts) - len(failed)),
        threshold=threshold,
        passed=not failed,
        why=f"{len(verdicts) - len(failed)} of {len(verdicts)} passed"
        + (f"; not {', '.join(failed[:3])}" if failed else ""),
    )
