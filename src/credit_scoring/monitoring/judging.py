"""Judging a window: figures, findings, and the verdict that follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from credit_scoring.evaluation.expected import expected_performance
from credit_scoring.evaluation.shares import Count, difference_of_shares
from credit_scoring.evaluation.shift import holm, judge_shift, ks_of_counts
from credit_scoring.monitoring.bins import Counts, ReferenceBins
from credit_scoring.monitoring.counting import ModelCounts, WindowCounts
from credit_scoring.monitoring.fairness import judge_groups
from credit_scoring.monitoring.parameters import DriftMarks, MonitoringParameters
from credit_scoring.monitoring.publication import Finding, Verdict, worst
from credit_scoring.wording import counted

Json = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """What came of judging.

    Attributes:
        figures: JSON values.
        findings: What was found; never empty, as what is well is said, too.
    """

    figures: Json
    findings: list[Finding]

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        return worst([finding.verdict for finding in self.findings])


def judge_window(
    counts: WindowCounts, earlier: Sequence[Json], parameters: MonitoringParameters
) -> Judged:
    """Judge what was counted of a window.

    Args:
        counts: Of the window.
        earlier: Records of windows before it, the newest last.
        parameters: Marks.

    Returns:
        With too few decisions the verdict is ``insufficient``; drift that cannot be
        computed is an alert, never well.
    """
    figures = _plain_figures(counts)
    if counts.with_history < parameters.least_decisions:
        message = (
            f"{counted(counts.with_history, 'decision')} with a history; at least "
            f"{parameters.least_decisions} are needed"
        )
        few = Finding("decisions", "insufficient", message, counts.with_history)
        return Judged(figures | {"models": {}}, [few])
    findings: list[Finding] = []
    models: Json = {}
    for digest, model in counts.models.items():
        if model.rows < parameters.least_decisions:
            models[digest] = {"decisions": model.rows, "judged": False}
            continue
        judged = _judge_model(digest, model, parameters.drift)
        models[digest] = judged.figures | {
            "role": counts.roles[digest],
            "version": counts.versions[digest],
        }
        findings += judged.findings
    if not any(model.get("judged") for model in models.values()):
        message = "no model decided on enough applications to be judged"
        findings.append(Finding("drift", "insufficient", message))
    if gone := counts.without_features:
        decisions = counted(gone, "decision")
        message = f"the features of {decisions} cannot be had: no drift known"
        findings.append(Finding("features", "insufficient", message, gone))
    findings.append(_approval(counts, earlier, parameters))
    groups = judge_groups(counts.groups, parameters.fairness)
    findings += groups.findings
    return Judged(figures | {"models": models, "fairness": groups.figures}, findings)


def _plain_figures(counts: WindowCounts) -> Json:
    whole = counts.with_history
    return {
        "decisions": counts.decisions,
        "with_history": whole,
        "approved_with_history": counts.approved_with_history,
        "without_features": counts.without_features,
        "by_decision": dict(counts.by_decision),
        "by_feature_source": dict(counts.by_feature_source),
        "by_role": dict(counts.by_role),
        "reasons": dict(counts.reasons.most_common()),
        "main_model": counts.main,
        "missing_inputs": {
            name: 1 - counts.given[name] / whole for name in sorted(counts.inputs)
        }
        if whole
        else {},
        "contract": {
            "digests": dict(counts.contracts),
            "seen": "values that reached a decision: each kept the contract",
            "not_seen": "refused requests are in no decision log; the metrics count "
            "them (credit_scoring_problems_total), rows of batches excepted",
        },
    }


def _judge_model(digest: str, model: ModelCounts, marks: DriftMarks) -> Judged:
    figures: Json = {"decisions": model.rows, "judged": True}
    figures["expected"] = asdict(expected_performance(*model.pds()))
    if model.bins is None or model.counts is None:
        message = f"the reference of model {digest[:12]} cannot be had: no drift known"
        return Judged(figures, [Finding("drift", "alert", message)])
    rows = _shifts(model.bins, model.counts)
    score, *features = rows
    figures |= {"score": score, "features": {row["name"]: row for row in features}}
    return Judged(
        figures, [_score_finding(score, marks), *_feature_findings(features, marks)]
    )


def _shifts(bins: ReferenceBins, counts: Counts) -> list[Json]:
    found: list[Json] = []
    for name, expected, actual, edges in zip(
        bins.names, bins.expected, counts, bins.edge_counts, strict=True
    ):
        shift = judge_shift(expected, actual)
        known = int(edges) + 1
        row: Json = {"name": name, **asdict(shift), "ks": None, "ks_p_value": None}
        if expected[:known].sum() and actual[:known].sum():
            distance = ks_of_counts(expected[:known], actual[:known])
            row |= {"ks": distance.value, "ks_p_value": distance.p_value}
        row |= {
            "missing": int(actual[-1]) / int(actual.sum()),
            "missing_expected": int(expected[-1]) / int(expected.sum()),
            "missing_count": int(actual[-1]),
            "missing_expected_count": int(expected[-1]),
            "rows": int(actual.sum()),
            "rows_expected": int(expected.sum()),
        }
        found.append(row)
    corrected = holm(np.array([row["p_value"] for row in found]))
    for row, p_value in zip(found, corrected.tolist(), strict=True):
        row["p_value_corrected"] = p_value
    return found


def _score_finding(score: Json, marks: DriftMarks) -> Finding:
    psi, p_value = score["psi"], score["p_value_corrected"]
    verdict: Verdict = "ok"
    if p_value <= marks.level and psi >= marks.psi_warn:
        verdict = "alert" if psi >= marks.psi_alert else "warn"
    message = (
        f"PSI of the score {psi:.3f} ({score['low']:.3f} to {score['high']:.3f}), "
        f"corrected p-value {p_value:.2g}"
    )
    return Finding("score_drift", verdict, message, psi)


def _feature_findings(features: Sequence[Json], marks: DriftMarks) -> list[Finding]:
    moved = [
        row
        for row in features
        if row["p_value_corrected"] <= marks.level and row["psi"] >= marks.psi_warn
    ]
    moved.sort(key=lambda row: -float(row["psi"]))
    highest = max((float(row["psi"]) for row in features), default=0.0)
    named = ", ".join(f"{row['name']} {row['psi']:.3f}" for row in moved[:5])
    message = (
        f"{len(moved)} of {len(features)} features moved: {named}"
        if moved
        else f"none of {len(features)} features moved"
    )
    drift = Finding("feature_drift", "warn" if moved else "ok", message, highest)
    return [drift, _missing_finding(features, marks)]


def _missing_finding(features: Sequence[Json], marks: DriftMarks) -> Finding:
    found = []
    level = 1 - marks.level / max(len(features), 1)
    for row in features:
        now = Count(row["missing_count"], row["rows"])
        before = Count(row["missing_expected_count"], row["rows_expected"])
        apart = difference_of_shares(now, before, level=level)
        beyond = apart.low is not None and apart.high is not None
        if (
            abs(apart.value) >= marks.missing_points
            and beyond
            and (
                apart.low > 0 or apart.high < 0  # type: ignore[operator]
            )
        ):
            found.append((abs(apart.value), row["name"]))
    named = ", ".join(name for _, name in sorted(found, reverse=True)[:5])
    message = (
        f"{len(found)} features are missing more or less often: {named}"
        if found
        else "no feature is missing more or less often"
    )
    worst_points = max((points for points, _ in found), default=0.0)
    return Finding("missing", "warn" if found else "ok", message, worst_points)


def _approval(
    counts: WindowCounts, earlier: Sequence[Json], parameters: MonitoringParameters
) -> Finding:
    """Compare the approval rate with that of earlier windows of the same model."""
    now = Count(counts.approved_with_history, counts.with_history)
    same = [
        record["figures"]
        for record in earlier
        if record["computed"] and record["figures"].get("main_model") == counts.main
    ][-parameters.earlier_windows :]
    rows = sum(figures["with_history"] for figures in same)
    if rows < parameters.least_decisions:
        message = (
            f"approval rate {now.share:.3f}, not compared: earlier windows have fewer "
            f"than {parameters.least_decisions:,} decisions"
        )
        return Finding("approval_rate", "ok", message, now.share)
    before = Count(sum(figures["approved_with_history"] for figures in same), rows)
    level = 1 - parameters.drift.level
    apart = difference_of_shares(now, before, level=level)
    low, high = apart.low or 0.0, apart.high or 0.0
    moved = abs(apart.value) >= parameters.drift.approval_points and (
        low > 0 or high < 0
    )
    message = (
        f"approval rate {now.share:.3f}, {apart.value:+.3f} ({low:+.3f} to "
        f"{high:+.3f}) against {counted(len(same), 'earlier window')}"
    )
    return Finding("approval_rate", "warn" if moved else "ok", message, now.share)


def summary_figures(record: Mapping[str, Any]) -> dict[str, float | None]:
    """Pick the figures of a window that are published and tracked."""
    figures = record["figures"]
    whole = figures.get("with_history") or 0
    main = figures.get("models", {}).get(figures.get("main_model"), {})
    expected = main.get("expected", {})
    features = main.get("features", {}).values()
    return {
        "decisions": float(figures.get("decisions", 0)),
        "approval_rate": figures["approved_with_history"] / whole if whole else None,
        "score_psi": main.get("score", {}).get("psi"),
        "score_ks": main.get("score", {}).get("ks"),
        "highest_feature_psi": max((row["psi"] for row in features), default=None),
        "expected_bad_rate": expected.get("bad_rate"),
        "expected_brier": expected.get("brier"),
        "expected_auc": expected.get("auc"),
    }
