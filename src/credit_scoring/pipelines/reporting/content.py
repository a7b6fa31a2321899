"""What a report says: sections made from what the pipelines measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from credit_scoring.contract.model import Contract
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.features.definition import FeatureSet
from credit_scoring.pipelines.reporting.blocks import (
    Block,
    Section,
    count,
    figure,
    gap,
    name,
    paragraph,
    percent,
    picture,
    table,
    verdict,
    with_interval,
    word,
)
from credit_scoring.pipelines.reporting.measuring_nodes import FAIRNESS_ALONE
from credit_scoring.pipelines.reporting.parameters import ReportingParameters
from credit_scoring.registry.manifest import Manifest

Lines = Sequence[Mapping[str, Any]]
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """Everything that a report is made from.

    Attributes:
        contract: The columns of an application.
        features: The features with directions and reasons.
        decision: Points scale and policy.
        reporting: Purpose, owner, sign-offs.
        manifest: What the artifact is made of.
        registration: Version, run, digest.
        judgement: The gates' verdicts.
        metrics: Split -> measure -> value with its interval.
        validation: Counts of rows read and rejected.
        calibration: Slope and intercept.
        tables: Name -> lines.
        facts: ``calibration_tests``, ``swap_sets``, ``alternatives``,
            ``chosen_parameters``.
        plots: Name -> PNG.
    """

    contract: Contract
    features: FeatureSet
    decision: DecisionParameters
    reporting: ReportingParameters
    manifest: Manifest
    registration: Json
    judgement: Json
    metrics: Json
    validation: Json
    calibration: Json
    tables: Mapping[str, Lines] = field(default_factory=dict)
    facts: Mapping[str, Json] = field(default_factory=dict)
    plots: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def test(self) -> Json:
        """Measures on the test split."""
        found: Json = self.metrics.get("test", {})
        return found

    @property
    def gates(self) -> Lines:
        """Verdicts, in the order they were asked."""
        found: Lines = self.judgement.get("gates", [])
        return found

    def lines(self, of: str) -> Lines:
        """Lines of a table; none of one that is not there."""
        return self.tables.get(of, [])

    def plot(self, of: str, caption: str) -> list[Block]:
        """A picture, or the gap where it is missing."""
        if of not in self.plots:
            return [gap(f"There is no picture of this: {caption}")]
        return [picture(self.plots[of], caption)]


def _lineage(found: Evidence) -> list[dict[str, Any]]:
    provenance, validation = found.manifest.provenance, found.validation
    dirty = {True: ", with uncommitted changes", False: "", None: ""}
    facts = {
        "Contract": f"{found.contract.title} ({found.contract.name}, version "
        f"{found.contract.version})",
        "Event": found.contract.columns[found.contract.target_name].description,
        "Rows read": count(validation.get("rows", 0)),
        "Rows rejected": f"{count(validation.get('rejected_rows', 0))} "
        f"({percent(validation.get('rejected_share', 0))})",
        "Bad rate of all": percent(validation.get("bad_rate", float("nan"))),
        "Data, SHA-256": provenance.data_digest,
        "Contract, SHA-256": found.manifest.contract_digest,
        "Features": f"{found.manifest.feature_set}, version "
        f"{found.manifest.feature_version}",
        "Policy version": found.manifest.policy_version,
        "Code": provenance.git_revision + dirty[provenance.git_dirty],
        "Environment, SHA-256 of the lock": provenance.environment_digest,
        "Artifact, SHA-256 of the manifest": found.registration.get("digest"),
        "MLflow run": found.registration.get("run_id"),
    }
    return [{"what": what, "which": which} for what, which in facts.items()]


def _recoded(found: Evidence) -> list[dict[str, Any]]:
    return [
        {"column": column, "code": code, "rows": rows}
        for column, codes in found.validation.get("recoded_cells", {}).items()
        for code, rows in codes.items()
    ]


def data(found: Evidence) -> Section:
    """Where data, code and environment come from."""
    splits = [
        {"split": split, **{k: v.get("value") for k, v in measures.items()}}
        for split, measures in found.metrics.items()
    ]
    return Section(
        "data",
        "Data and lineage",
        (
            table(
                _lineage(found),
                {"what": ("What", word), "which": ("Which", word)},
                caption="Where the model comes from",
                missing="The lineage is not known.",
            ),
            table(
                splits,
                {
                    "split": ("Split", name),
                    "rows": ("Applications", count),
                    "bads": ("Bad", count),
                    "bad_rate": ("Bad rate", percent),
                },
                caption="What was learned from (train, validation, calibration) and "
                "tested on (test)",
                missing="No split was measured.",
            ),
            table(
                _recoded(found),
                {
                    "column": ("Column", name),
                    "code": ("Code", word),
                    "rows": ("Rows", count),
                },
                caption="Codes outside the published dictionary, read as the contract "
                "says",
                missing="No code had to be read as another.",
            ),
        ),
    )


def performance(found: Evidence) -> Section:
    """How well it ranks, on every split."""
    measured = ("auc", "gini", "ks", "brier", "log_loss")
    lines = [
        {
            "measure": measure,
            **{s: with_interval(m.get(measure)) for s, m in found.metrics.items()},
        }
        for measure in measured
    ]
    splits = {split: (name(split), word) for split in found.metrics}
    return Section(
        "performance",
        "Performance",
        (
            paragraph(
                "AUC: how often a bad is ranked riskier than a good. A model that "
                "learned its training rows by heart is much better there than on test."
            ),
            table(
                lines,
                {"measure": ("Measure", name), **splits},
                caption="Measures; intervals by bootstrap where they were asked for",
                missing="Nothing was measured.",
            ),
            *found.plot("roc", "ROC curve on the test rows"),
            *found.plot("ks", "Goods and bads up to each score"),
            *found.plot("score_distribution", "Scores of goods and bads"),
        ),
    )


_SEGMENT = {
    "attribute": ("By", name),
    "segment": ("Part", word),
    "rows": ("Applications", count),
    "bad_rate": ("Bad rate", percent),
    "low": ("from", percent),
    "high": ("to", percent),
    "mean_pd": ("Mean PD", percent),
    "auc": ("AUC", figure),
    "approval_rate": ("Approved", percent),
}


def segments(found: Evidence) -> Section:
    """How it does for parts of the portfolio, and by quarter."""
    own = [s for s in found.lines("segment_table") if s["use"] != FAIRNESS_ALONE]
    off = [s for s in own if not s["low"] <= s["mean_pd"] <= s["high"]]
    return Section(
        "segments",
        "Segments and vintages",
        (
            paragraph(
                f"In {len(off)} of {len(own)} parts the mean PD lies outside the 95 % "
                "interval of the bad rate; one in twenty does by chance."
            ),
            table(
                own,
                _SEGMENT,
                caption="Test rows by the columns behind the strongest features",
                missing="No segment was measured.",
            ),
            table(
                found.lines("vintage_table"),
                {
                    "vintage": ("Time", word),
                    "split": ("Split", name),
                    "rows": ("Applications", count),
                    "bad_rate": ("Bad rate", percent),
                    "mean_pd": ("Mean PD", percent),
                    "auc": ("AUC", figure),
                    "auc_low": ("from", figure),
                    "auc_high": ("to", figure),
                },
                caption="By time of the application",
                missing="The contract has no date, so there are no vintages: how the "
                "model ages cannot be seen in this data.",
            ),
        ),
    )


_RELIABILITY = {
    "n": ("Applications", count),
    "mean_pd": ("Mean PD", percent),
    "bad_rate": ("Bad rate", percent),
    "low": ("from", percent),
    "high": ("to", percent),
}
_TESTS = {
    "test": ("Test", name),
    "statistic": ("Statistic", figure),
    "p_value": ("p-value", figure),
}
_INTERVALS = {
    "rows": ("Applications", count),
    "mean_pd": ("Mean PD", percent),
    "low": ("Interval from", percent),
    "high": ("to", percent),
    "bad_rate": ("Bad rate", percent),
    "inside": ("Inside", verdict),
}


def calibration(found: Evidence) -> Section:
    """Whether PDs mean what they say, and how sure they are."""
    intervals = found.lines("interval_table")
    inside = sum(bool(line["inside"]) for line in intervals)
    tests = found.facts.get("calibration_tests", {})
    named = [
        {"test": test, **values} for test, values in tests.get("tests", {}).items()
    ]
    return Section(
        "calibration",
        "Calibration and uncertainty",
        (
            paragraph(
                f"Calibrated log-odds = {found.calibration['intercept']:.4f} + "
                f"{found.calibration['slope']:.4f} x margin, fitted on rows that "
                "neither training nor testing saw. On the test rows the slope is "
                f"{with_interval(found.test.get('calibration_slope'))} (perfect: 1) "
                "and the intercept "
                f"{with_interval(found.test.get('calibration_intercept'))} "
                "(perfect: 0)."
            ),
            *found.plot("reliability", "Predicted and observed defaults, test rows"),
            table(
                found.lines("reliability_table"),
                _RELIABILITY,
                caption="Predicted and observed, by tenths of the PD",
                missing="There is no reliability table.",
            ),
            table(
                named,
                _TESTS,
                caption="Tests of calibration",
                missing="Tests of calibration were not made.",
            ),
            paragraph(
                f"Each PD has an interval. In {inside} of {len(intervals)} groups of "
                "neighbouring margins the observed bad rate lies in the mean interval."
            ),
            table(
                intervals,
                _INTERVALS,
                caption="Intervals of the PD against outcomes",
                missing="The model was made without intervals.",
            ),
        ),
    )


def stability(found: Evidence) -> Section:
    """How far the test rows lie from the training rows."""
    lines = found.lines("stability_table")
    return Section(
        "stability",
        "Stability",
        (
            paragraph(
                "Population stability index of the test rows against the training "
                "rows: 0.1 is customarily a small shift, 0.25 a large one."
            ),
            table(
                lines[:16],
                {
                    "name": ("Score or feature", name),
                    "psi": ("PSI", figure),
                    "high": ("at most", figure),
                    "p_value_holm": ("p-value", figure),
                },
                caption="The score and the features that moved furthest",
                missing="Stability was not measured.",
            ),
        ),
    )
