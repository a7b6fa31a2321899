"""Judging a candidate: every gate is asked, and each fails closed."""

from collections.abc import Iterator
from functools import partial

from credit_scoring.errors import EvaluationError, PromotionError
from credit_scoring.evaluation.measures import Measure
from credit_scoring.evaluation.sample import check_sample
from credit_scoring.evaluation.shift import Shift
from credit_scoring.registry.examination import Examination
from credit_scoring.registry.fairness_gates import fairness_gates
from credit_scoring.registry.gates import (
    Gate,
    artifact_gate,
    at_least,
    at_most,
    fail_closed,
    none_of,
    reasons_gate,
    within,
)


def judge(examination: Examination) -> tuple[float | None, tuple[Gate, ...]]:
    """Ask every gate about a candidate.

    Args:
        examination: The candidate on the test rows, beside the champion.

    Returns:
        Its AUC on the rows, None if it cannot be measured; and the verdicts.

    Raises:
        PromotionError: If the rows themselves tell nothing.
    """
    bad = examination.rows.bad
    try:
        check_sample(bad, bad, what="outcomes")
    except EvaluationError as error:
        raise PromotionError(f"the test rows cannot be judged on: {error}") from error
    gates = (
        *_discrimination(examination),
        *_calibration(examination),
        *_stability(examination),
        _monotonicity(examination),
        *fairness_gates(examination),
        *_reasons(examination),
        *_profit(examination),
        _latency(examination),
        artifact_gate(examination.fault),
    )
    return gates[0].figure, gates


def _discrimination(found: Examination) -> Iterator[Gate]:
    least = found.parameters.minimum_auc
    yield fail_closed(
        "minimum_auc",
        f"at least {least:g}",
        lambda: at_least("minimum_auc", found.auc, least),
    )
    if found.champion.version is None:
        return
    test = found.parameters.against_champion
    # A margin of 0 has no sign.
    bound = (test.margin if test.mode == "superiority" else -test.margin) or 0.0
    threshold = (
        f"the champion's AUC {bound:+g} or more by the lower end of the difference"
    )
    yield fail_closed(
        "auc_against_champion",
        threshold,
        lambda: _against_champion(found, threshold),
    )


def _against_champion(found: Examination, threshold: str) -> Gate:
    compared = found.auc_against_champion
    return Gate(
        name="auc_against_champion",
        figure=compared.difference,
        low=compared.low,
        high=compared.high,
        threshold=threshold,
        passed=compared.shown,
        why=(
            f"{compared.auc:.4f} less the champion's {compared.other:.4f} is "
            f"{compared.difference:+.4f} ({compared.low:+.4f} to "
            f"{compared.high:+.4f}); DeLong's one-sided p is {compared.p_value:.4g}"
        ),
    )


def _calibration(found: Examination) -> Iterator[Gate]:
    asked = found.parameters.calibration
    for part in ("slope", "in_the_large"):
        name, bounds = f"calibration_{part}", getattr(asked, part)
        yield fail_closed(
            name,
            f"{bounds.low:g} to {bounds.high:g}",
            partial(_by_line, found, part),
        )
    for test in ("spiegelhalter", "likelihood_ratio"):
        name, least = f"calibration_{test}", getattr(asked, f"{test}_p")
        yield fail_closed(
            name,
            f"p at least {least:g}",
            partial(_by_p_value, found, test),
        )


def _by_line(found: Examination, part: str) -> Gate:
    asked, line = found.parameters.calibration, found.calibration
    figures = [getattr(line, f"{part}{end}") for end in ("", "_low", "_high")]
    return within(
        f"calibration_{part}",
        Measure(*figures),
        getattr(asked, part),
        whole=asked.rule == "interval",
    )


def _by_p_value(found: Examination, test: str) -> Gate:
    least = getattr(found.parameters.calibration, f"{test}_p")
    result = found.calibration_tests[test]
    return Gate(
        name=f"calibration_{test}",
        figure=result.p_value,
        threshold=f"p at least {least:g}",
        passed=result.p_value >= least,
        why=f"p is {result.p_value:.4g}, the statistic {result.statistic:.3f}",
    )


def _stability(found: Examination) -> Iterator[Gate]:
    asked = found.parameters.stability
    yield fail_closed(
        "stability_score",
        f"at most {asked.score_psi:g} by its upper end",
        lambda: _by_shift("stability_score", found.score_shift, asked.score_psi, ""),
    )
    yield fail_closed(
        "stability_features",
        f"at most {asked.feature_psi:g} by its upper end",
        lambda: _worst_feature(found, asked.feature_psi),
    )


def _worst_feature(found: Examination, most: float) -> Gate:
    shifts = found.feature_shifts
    # The one that is furthest from passing: its upper end is asked.
    name = max(shifts, key=lambda feature: (shifts[feature].high, feature))
    return _by_shift("stability_features", shifts[name], most, f"{name}: ")


def _by_shift(name: str, shift: Shift, most: float, where: str) -> Gate:
    gate = at_most(name, Measure(shift.psi, shift.low, shift.high), most, by_high=True)
    why = f"{where}{gate.why}; by chance alone p is {shift.p_value:.4g}"
    return gate.model_copy(update={"why": why})


def _monotonicity(found: Examination) -> Gate:
    what = "moves against a declared direction"

    def ask() -> Gate:
        if not any(found.artifact.feature_set.directions):
            return Gate(
                name="monotonicity",
                figure=0.0,
                threshold=f"0 {what}",
                passed=True,
                why="no feature declares a direction",
            )
        tried = found.monotonicity
        wrong = [one for one in tried if one.wrong]
        return none_of(
            "monotonicity",
            sum(one.wrong for one in tried),
            what,
            of=sum(one.moves for one in tried),
            where=f"first of {', '.join(one.feature for one in wrong[:3])}",
        )

    return fail_closed("monotonicity", f"0 {what}", ask)


def _reasons(found: Examination) -> Iterator[Gate]:
    def texts() -> Gate:
        features = found.artifact.feature_set
        codes = {item.name: item.reason for item in features.features}
        return reasons_gate(codes, features.reasons)

    what = "refused applications without a reason"
    yield fail_closed("reason_texts", "0 features without a reason text", texts)
    yield fail_closed(
        "reasons_given",
        f"0 {what}",
        lambda: none_of(
            "reasons_given",
            found.without_reasons,
            what,
            of=int((~found.approved).sum()),
        ),
    )


def _profit(found: Examination) -> Iterator[Gate]:
    asked = found.parameters.profit
    yield fail_closed(
        "profit",
        f"at least {asked.minimum:g} by its lower end",
        lambda: at_least("profit", found.profit, asked.minimum, by_low=True),
    )
    if found.champion.version is None:
        return
    name = "profit_against_champion"
    yield fail_closed(
        name,
        f"at least {-asked.margin:g} by its lower end",
        lambda: at_least(
            name, found.profit_against_champion, -asked.margin, by_low=True
        ),
    )


def _latency(found: Examination) -> Gate:
    most = found.parameters.latency.median_ms
    return fail_closed(
        "latency_ms",
        f"at most {most:g}",
        lambda: at_most("latency_ms", Measure(found.latency_ms), most),
    )
