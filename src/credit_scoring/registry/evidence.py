"""The evidence of an examination as tables: what a report shows of a candidate."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.errors import CreditScoringError
from credit_scoring.evaluation.cut_offs import CutOff
from credit_scoring.evaluation.fairness import GroupFairness
from credit_scoring.evaluation.measures import Measure
from credit_scoring.evaluation.shift import holm
from credit_scoring.registry.examination import Examination
from credit_scoring.registry.gate_parameters import Attribute

Line = dict[str, Any]
Rule = Literal["policy", "profit", "approval_rate", "bad_rate"]

_POINTS_OF_A_CURVE = 200


class CutOffTargets(BaseModel):
    """Targets whose cut-offs are tabulated beside the policy's own.

    Attributes:
        approval_rates: Shares of applicants to approve.
        bad_rates: Bad rates to expect among the approved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    approval_rates: tuple[float, ...] = Field(default=())
    bad_rates: tuple[float, ...] = Field(default=())


def band_lines(found: Examination) -> list[Line]:
    """Approvals and bad rates by band; nothing if that cannot be had."""
    return _known(lambda: [asdict(line) for line in found.bands])


def cut_off_lines(found: Examination, targets: CutOffTargets) -> list[Line]:
    """The policy's cut-off, and those that targets ask for.

    Args:
        found: The candidate on the test rows.
        targets: What is asked for.

    Returns:
        ``rule`` and ``target``, and what `CutOff` says; a target that cannot
        be reached has ``score`` None and ``why``.
    """

    def asked() -> list[Line]:
        offer = found.trade_off
        policy = found.artifact.engine.grading.policy
        by_approvals, by_bads = offer.for_approval_rate, offer.for_bad_rate
        return [
            _cut_off(found, "policy", None, lambda: policy.approve_from),
            _cut_off(found, "profit", None, offer.for_profit),
            *(
                _cut_off(found, "approval_rate", rate, partial(by_approvals, rate))
                for rate in targets.approval_rates
            ),
            *(
                _cut_off(found, "bad_rate", rate, partial(by_bads, rate))
                for rate in targets.bad_rates
            ),
        ]

    return _known(asked)


def _cut_off(
    found: Examination, rule: Rule, target: float | None, choose: Callable[[], float]
) -> Line:
    try:
        leads_to = asdict(found.trade_off.at(choose()))
        why = None
    except CreditScoringError as error:
        leads_to, why = dict.fromkeys(CutOff.__dataclass_fields__), str(error)
    return {"rule": rule, "target": target, **leads_to, "why": why}


def profit_lines(found: Examination) -> list[Line]:
    """What approving from each of up to 200 scores on leads to, high to low."""

    def asked() -> list[Line]:
        offer = found.trade_off
        last = offer.scores.size - 1
        places = np.linspace(0, last, min(_POINTS_OF_A_CURVE, last + 1)).astype(int)
        return [asdict(offer.at(float(score))) for score in offer.scores[places]]

    return _known(asked)


def fairness_lines(found: Examination) -> list[Line]:
    """Each group of each attribute beside the one it is compared with.

    Returns:
        ``attribute``, ``judged``, ``reference_group``, and what `GroupFairness`
        says, a measure's interval in columns of its own.
    """
    lines: list[Line] = []
    for name, attribute in found.parameters.fairness.asked.items():
        lines += _known(partial(_of_attribute, found, name, attribute))
    return lines


def _of_attribute(found: Examination, name: str, attribute: Attribute) -> list[Line]:
    compared = found.fairness(attribute)
    first = {
        "attribute": name,
        "judged": attribute.judged,
        "reference_group": compared.reference,
    }
    return [first | _flat(group) for group in compared.groups]


def _flat(group: GroupFairness) -> Line:
    flat: Line = {}
    for name, value in vars(group).items():
        if name.endswith(("_ratio", "_difference")):
            flat |= _interval(name, value)
        else:
            flat[name] = value
    return flat


def _interval(name: str, measure: Measure | None) -> Line:
    known = measure or Measure(float("nan"))
    return {
        name: None if measure is None else measure.value,
        f"{name}_low": known.low,
        f"{name}_high": known.high,
    }


def monotonicity_lines(found: Examination) -> list[Line]:
    """How the margin followed each feature with a direction."""
    return _known(lambda: [asdict(one) for one in found.monotonicity])


def stability_lines(found: Examination) -> list[Line]:
    """PSI of the score and of each feature, the furthest feature first.

    Returns:
        ``name``, what `Shift` says, and ``p_value_holm``, corrected for the
        number of features; that of the score is its own.
    """

    def asked() -> list[Line]:
        shifts = found.feature_shifts
        corrected = holm(np.array([shift.p_value for shift in shifts.values()]))
        features = [
            {"name": name, **asdict(shift), "p_value_holm": float(p)}
            for (name, shift), p in zip(shifts.items(), corrected, strict=True)
        ]
        features.sort(key=lambda line: (-line["psi"], line["name"]))
        score = found.score_shift
        first = {"name": "score", **asdict(score), "p_value_holm": score.p_value}
        return [first, *features]

    return _known(asked)


def calibration_facts(found: Examination) -> Line:
    """The recalibration line and the tests of calibration."""
    try:
        tests = found.calibration_tests
        return {
            **asdict(found.calibration),
            "level": found.parameters.calibration.level,
            "tests": {name: asdict(test) for name, test in tests.items()},
        }
    except CreditScoringError as error:
        return {"why": str(error)}


def swap_facts(found: Examination) -> Line:
    """Who would be newly approved or declined against the champion.

    Returns:
        ``champion``, its version or None; ``cells``, as `Cell` says;
        ``difference`` of the bad rates of the newly approved and the newly
        declined; ``profit`` and ``profit_against_champion``; ``why`` what is
        missing is missing.
    """
    facts: Line = {"champion": found.champion.version, "why": None}
    asked: Mapping[str, Callable[[], Any]] = {
        "cells": lambda: [asdict(cell) for cell in found.swaps.cells],
        "difference": lambda: _measure(found.swaps.difference),
        "profit": lambda: _measure(found.profit),
        "profit_against_champion": lambda: _measure(found.profit_against_champion),
    }
    for name, ask in asked.items():
        try:
            facts[name] = ask()
        except CreditScoringError as error:
            facts |= {name: None, "why": str(error)}
    return facts


def _measure(measure: Measure | None) -> Line | None:
    return None if measure is None else measure.as_json()


def _known(ask: Callable[[], Iterable[Line]]) -> list[Line]:
    """Give the lines, or none: the gates say why there are none."""
    try:
        return list(ask())
    except CreditScoringError:
        return []
