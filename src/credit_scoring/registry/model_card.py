"""The model card: what a model is for, what it saw, and how well it does."""

from collections.abc import Collection, Mapping
from typing import Any

from credit_scoring.contract.model import Contract, Role
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.features.definition import FeatureSet
from credit_scoring.registry.manifest import Provenance

# Measures are numbers of one type; these are read in another form.
_COUNTS = frozenset({"rows", "bads"})
_SHARES = frozenset({"bad_rate", "mean_pd"})
_DIRECTIONS = {1: "raises the PD", -1: "lowers the PD", 0: "either way"}


def model_card(
    engine: DecisionEngine,
    *,
    contract: Contract,
    feature_set: FeatureSet,
    metrics: Mapping[str, Any],
    provenance: Provenance,
) -> str:
    """Write the model card of a candidate as Markdown.

    Args:
        engine: Decides as the candidate will.
        contract: The columns of an application.
        feature_set: The features, with directions and reasons.
        metrics: Split -> measure -> value with its interval.
        provenance: Data, code and environment.
    """
    parts = [
        f"# Model card: {engine.model.family} on {contract.title}",
        _purpose(contract),
        _lineage(engine, contract, feature_set, provenance),
        _metrics(metrics),
        _decision(engine),
        _features(feature_set),
        _limits(contract),
    ]
    return "\n\n".join(parts) + "\n"


def _purpose(contract: Contract) -> str:
    target = contract.columns[contract.target_name].description
    return (
        "## Purpose\n\n"
        "Estimates the probability of default (PD) of a credit account and turns it "
        "into a score, on which a policy approves, refers to a person, or declines. "
        f"The event: {target}"
    )


def _lineage(
    engine: DecisionEngine,
    contract: Contract,
    feature_set: FeatureSet,
    provenance: Provenance,
) -> str:
    dirty = {True: " (with uncommitted changes)", False: "", None: ""}
    rows = {
        "Family": engine.model.family,
        "Contract": f"{contract.name} version {contract.version}, {contract.digest}",
        "Feature set": f"{feature_set.name} {feature_set.version(contract.digest)}",
        "Policy version": engine.policy_version,
        "Data (SHA-256)": provenance.data_digest,
        "Code revision": provenance.git_revision + dirty[provenance.git_dirty],
        "Environment lock (SHA-256)": provenance.environment_digest,
    }
    return "## Data and lineage\n\n" + _table(("What", "Which"), rows.items())


def _metrics(metrics: Mapping[str, Any]) -> str:
    rows = [
        (split, name, _figure(name, measured.get("value")), _interval(name, measured))
        for split, measures in metrics.items()
        if isinstance(measures, Mapping)
        for name, measured in measures.items()
        if isinstance(measured, Mapping) and "value" in measured
    ]
    header = ("Split", "Measure", "Value", "Interval")
    return "## Measures\n\n" + _table(header, rows, figures=("Value", "Interval"))


def _figure(name: str, value: object) -> str:
    if not isinstance(value, float | int):
        return "missing"
    if name in _COUNTS:
        return f"{value:,.0f}"
    return f"{value:.1%}" if name in _SHARES else f"{value:.4f}"


def _interval(name: str, measured: Mapping[str, Any]) -> str:
    if measured.get("low") is None or measured.get("high") is None:
        return "none"
    return f"{_figure(name, measured['low'])} to {_figure(name, measured['high'])}"


def _decision(engine: DecisionEngine) -> str:
    grading = engine.grading
    policy, line = grading.policy, grading.calibration
    rules = "\n".join(
        f"- `{rule.code}`: {rule.outcome}; {rule.text}" for rule in policy.rules
    )
    return (
        "## Calibration and decision\n\n"
        f"Calibrated log-odds = {line.intercept:.4f} + {line.slope:.4f} x margin, "
        "fitted on rows that neither training nor testing saw. "
        f"{grading.scaling.base_score:g} points are "
        f"{grading.scaling.base_odds:g} goods to 1 bad; {grading.scaling.pdo:g} points "
        f"double the odds. Approved from {policy.approve_from:g}, declined below "
        f"{policy.decline_below:g} points, otherwise referred. Rules:\n\n"
        f"{rules or '- none'}"
    )


def _features(feature_set: FeatureSet) -> str:
    rows = [
        (f"`{f.name}`", _DIRECTIONS[f.direction], f"`{f.reason}`", f.description)
        for f in feature_set.features
    ]
    sentences = "\n".join(
        f"- `{code}`: {text}" for code, text in sorted(feature_set.reasons.items())
    )
    header = ("Feature", "More of it", "Reason", "What it is")
    return f"## Features\n\n{_table(header, rows)}\n\nReasons:\n\n{sentences}"


def _limits(contract: Contract) -> str:
    protected = ", ".join(contract.names(Role.PROTECTED)) or "none in this data"
    return (
        "## Limits\n\n"
        f"Protected attributes ({protected}) are used neither by the model nor by the "
        "decision. What correlates with them may still be: measure it by group before "
        "use. The model knows the population it was trained on and no other; its "
        "reasons say what the score depends on, not what causes default. It must not "
        "decide without the policy, nor on accounts without history."
    )


def _table(header: tuple[str, ...], rows: Any, *, figures: Collection[str] = ()) -> str:
    """Write a table whose columns of figures are aligned to the right."""
    rule = tuple("---:" if name in figures else "---" for name in header)
    lines = [header, rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
