"""What is drift and what is not, what is too little, and what cannot be known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from credit_scoring.decision_log.reader import Logged
from credit_scoring.decision_log.records import Header, LoggedModel
from credit_scoring.monitoring.bins import ReferenceBins
from credit_scoring.monitoring.counting import WindowCounts
from credit_scoring.monitoring.judging import judge_window, summary_figures
from credit_scoring.monitoring.monitoring import Source, count_decisions, record_of
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.monitoring.publication import Finding
from credit_scoring.monitoring.windows import Window

from .conftest import DAY, DIGEST, ORIGIN, drawn, entries, no_features

Count = Callable[..., WindowCounts]
HEADER = Header(1, "20260304T000000.000000Z-1-00000000.jsonl", DAY, ORIGIN)


def count(table: np.ndarray, source: Source, **changes: Any) -> WindowCounts:
    decisions = entries(table, DAY, **changes)
    logged = [Logged(entry, HEADER, HEADER.segment, 1) for entry in decisions]
    return count_decisions(logged, source)


def found(
    counts: WindowCounts, parameters: MonitoringParameters, earlier: Any = ()
) -> dict[str, Finding]:
    return {f.subject: f for f in judge_window(counts, earlier, parameters).findings}


@pytest.mark.parametrize("seed", range(2, 12))
def test_what_is_like_training_is_well(
    seed: int, source: Source, parameters: MonitoringParameters
) -> None:
    counts = count(drawn(1000, seed), source)
    assert judge_window(counts, [], parameters).verdict == "ok"


def test_a_shift_is_found_and_named(
    source: Source, parameters: MonitoringParameters
) -> None:
    findings = found(count(drawn(1000, 2, shift=0.4), source), parameters)
    assert findings["score_drift"].verdict == "warn"
    assert findings["feature_drift"].verdict == "warn"
    assert "1 of 2 features moved: lateness" in findings["feature_drift"].message
    worse = found(count(drawn(1000, 2, shift=0.8), source), parameters)
    assert worse["score_drift"].verdict == "alert"


def test_few_decisions_are_not_judged(
    source: Source, parameters: MonitoringParameters
) -> None:
    judged = judge_window(count(drawn(199, 2, shift=2), source), [], parameters)
    assert judged.verdict == "insufficient"
    assert judged.figures["decisions"] == 199


def test_nobody_at_all_is_insufficient_and_never_well(
    source: Source, parameters: MonitoringParameters
) -> None:
    judged = judge_window(source.empty(), [], parameters)
    assert judged.verdict == "insufficient"
    record = record_of(
        Window(DAY, 24),
        source.empty(),
        segments={},
        earlier=[],
        parameters=parameters,
    )
    assert summary_figures(record)["approval_rate"] is None


def test_without_the_models_reference_nothing_is_well(
    parameters: MonitoringParameters,
) -> None:
    blind = Source(lambda digest, names: None, {}, parameters, no_features)
    findings = found(count(drawn(1000, 2), blind), parameters)
    assert findings["drift"].verdict == "alert"
    assert "cannot be had" in findings["drift"].message


def test_decisions_without_a_model_are_insufficient(
    source: Source, parameters: MonitoringParameters
) -> None:
    bare = {"features": None, "margin": None, "pd": None, "score": None}
    counts = count(drawn(300, 2), source, **bare)
    findings = found(counts, parameters)
    assert findings["drift"].verdict == "insufficient"


def test_degraded_decisions_are_counted_and_not_judged(
    source: Source, parameters: MonitoringParameters
) -> None:
    counts = count(drawn(300, 2), source, feature_source="degraded")
    assert counts.by_feature_source == {"degraded": 300}
    assert judge_window(counts, [], parameters).verdict == "insufficient"


def test_missing_values_are_told(
    source: Source, parameters: MonitoringParameters
) -> None:
    table = drawn(1000, 2)
    table[:300, 2] = np.nan
    counts = count(table, source)
    findings = found(counts, parameters)
    assert findings["missing"].verdict == "warn"
    assert "1 features are missing more or less often: size" in (
        findings["missing"].message
    )
    figures = judge_window(counts, [], parameters).figures
    gone = float(np.isnan(table[:, 2]).mean())
    assert figures["missing_inputs"]["amount"] == pytest.approx(gone)
    assert figures["missing_inputs"]["days_late_1"] == 0


def test_approvals_are_compared_with_windows_of_the_same_model(
    source: Source, parameters: MonitoringParameters
) -> None:
    def record(approve: bool, digest: str = DIGEST) -> dict[str, Any]:
        decision = "approve" if approve else "decline"
        model = LoggedModel("credit_scoring", "7", "champion", digest)
        counts = count(drawn(500, 3), source, decision=decision, model=model)
        figures = judge_window(counts, [], parameters).figures
        return {"computed": True, "figures": figures}

    now = count(drawn(500, 4), source, decision="approve")

    def rate(*earlier: dict[str, Any]) -> Finding:
        return found(now, parameters, earlier)["approval_rate"]

    assert rate(record(True)).verdict == "ok"
    assert rate(record(False)).verdict == "warn"
    assert "against 1 earlier window" in rate(record(False)).message
    assert "not compared" in rate(record(False, "e" * 64)).message
    assert "not compared" in rate().message


def test_two_models_of_a_window_are_judged_apart(
    bins: ReferenceBins, source: Source, parameters: MonitoringParameters
) -> None:
    counts = source.empty()
    other = LoggedModel("credit_scoring", "8", "challenger", "e" * 64)
    for table, changes in (
        (drawn(900, 2), {}),
        (drawn(300, 3, shift=1), {"model": other}),
        (drawn(20, 4), {"model": LoggedModel("credit_scoring", "6", "x", "f" * 64)}),
    ):
        for entry in entries(table, DAY, **changes):
            counts.add(
                entry,
                contract_digest="c",
                inputs=ORIGIN.inputs,
                features=("lateness", "size"),
            )
    counts.finish()
    figures = judge_window(counts, [], parameters).figures
    assert figures["main_model"] == DIGEST
    assert figures["models"][DIGEST]["score"]["psi"] < 0.1
    assert figures["models"]["e" * 64]["score"]["psi"] > 0.25
    assert figures["models"]["f" * 64] == {"decisions": 20, "judged": False}


def test_the_expected_performance_is_that_of_the_pds(
    source: Source, parameters: MonitoringParameters
) -> None:
    counts = count(drawn(2000, 2), source)
    expected = judge_window(counts, [], parameters).figures["models"][DIGEST][
        "expected"
    ]
    pds = [entry.pd for entry in entries(drawn(2000, 2), DAY)]
    assert expected["bad_rate"] == pytest.approx(np.mean(pds), abs=1e-6)
    assert expected["brier"] == pytest.approx(
        np.mean([p * (1 - p) for p in pds if p]), abs=1e-5
    )


def test_a_sample_is_bounded_and_the_same_in_any_order(source: Source) -> None:
    table = drawn(1000, 2)
    decisions = entries(table, DAY)

    def sample(these: Any) -> np.ndarray:
        logged = [Logged(entry, HEADER, HEADER.segment, 1) for entry in these]
        return count_decisions(logged, source).models[DIGEST].sample()

    one, other = sample(decisions), sample(decisions[::-1])
    assert one.shape == (100, 3)
    np.testing.assert_array_equal(one, other)
