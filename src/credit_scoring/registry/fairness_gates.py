"""The gates of fairness: a measure, a group, and what a jurisdiction asks."""

from collections.abc import Iterator

from credit_scoring.errors import CreditScoringError
from credit_scoring.evaluation.fairness import GroupFairness
from credit_scoring.evaluation.measures import Measure
from credit_scoring.registry.examination import AttributeFairness, Examination
from credit_scoring.registry.gate_parameters import Attribute, FairnessGates
from credit_scoring.registry.gates import Gate, at_least, at_most, unmeasured

# Where a group is treated like the one that it is compared with.
_EQUAL = {"impact_ratio": 1.0, "score_difference": 0.0, "opportunity_difference": 0.0}


def fairness_gates(examination: Examination) -> Iterator[Gate]:
    """Ask about every group of every attribute that is judged.

    The group that others are compared with has no gates of its own. If it is
    not known which that is, all of them are refused.

    Args:
        examination: The candidate on the test rows.
    """
    asked = examination.parameters.fairness
    judged = {name: one for name, one in asked.asked.items() if one.judged}
    if not judged:
        yield _without_attributes(asked)
    for name, attribute in judged.items():
        try:
            found = examination.fairness(attribute)
        except CreditScoringError as error:
            yield from _refused(name, attribute, asked, str(error))
            continue
        yield at_most(
            f"fairness_{name}_assigned",
            Measure(found.unassigned),
            asked.unassigned_share,
        )
        yield from _of_groups(name, found, asked)


def _without_attributes(asked: FairnessGates) -> Gate:
    threshold = "a protected attribute to judge by, or why there is none"
    if asked.waiver is None:
        return unmeasured("fairness", threshold, "no attribute is judged")
    return Gate(
        name="fairness",
        figure=None,
        threshold=threshold,
        passed=True,
        why=f"waived by parameter: {asked.waiver}",
    )


def _thresholds(asked: FairnessGates) -> dict[str, float]:
    return {
        "impact_ratio": asked.impact_ratio,
        "score_difference": -asked.score_difference,
        "opportunity_difference": -asked.opportunity_difference,
    }


def _refused(
    name: str, attribute: Attribute, asked: FairnessGates, why: str
) -> Iterator[Gate]:
    yield unmeasured(
        f"fairness_{name}_assigned", f"at most {asked.unassigned_share:g}", why
    )
    for group in attribute.groups:
        for measure, least in _thresholds(asked).items():
            gate = f"fairness_{name}_{group}_{measure}"
            yield unmeasured(gate, f"at least {least:g}", why)


def _of_groups(
    name: str, found: AttributeFairness, asked: FairnessGates
) -> Iterator[Gate]:
    for group in found.groups:
        if group.reference:
            continue
        for measure, least in _thresholds(asked).items():
            yield _judged(
                f"fairness_{name}_{group.group}_{measure}",
                group,
                asked=asked,
                measure=getattr(group, measure),
                least=least,
                equal=_EQUAL[measure],
                beside=found.reference,
            )


def _judged(  # noqa: PLR0913 - a figure of a group, and what is asked of it
    name: str,
    group: GroupFairness,
    *,
    asked: FairnessGates,
    measure: Measure | None,
    least: float,
    equal: float,
    beside: str,
) -> Gate:
    by_low = asked.rule == "interval"
    gate = at_least(name, measure, least, by_low=by_low)
    gate = gate.model_copy(update={"threshold": f"{gate.threshold} beside {beside}"})
    if group.rows < asked.minimum_rows:
        few = f"{group.rows} rows are in it; expected {asked.minimum_rows} or more"
        return unmeasured(name, gate.threshold, few)
    if gate.passed or by_low or measure is None or measure.high is None:
        return gate
    if group.rows < asked.small_rows and measure.high >= equal:
        chance = f"which {group.rows} rows do not show: it may be {measure.high:.4f}"
        return gate.model_copy(update={"passed": True, "why": f"{gate.why}, {chance}"})
    return gate
