"""Nodes that write the report and log it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml

from credit_scoring.contract.model import Contract
from credit_scoring.decision.feature_sets import feature_set_of
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.pipelines.reporting import content, people_content, policy_content
from credit_scoring.pipelines.reporting.content import Evidence
from credit_scoring.pipelines.reporting.measuring_nodes import known_lines
from credit_scoring.pipelines.reporting.parameters import ReportingParameters
from credit_scoring.pipelines.reporting.summary import summarise
from credit_scoring.registry.manifest import read_manifest
from credit_scoring.registry.mlflow_reports import log_files

_HERE = Path(__file__).parent
TEMPLATE = "validation_report.html.j2"
_SECTIONS = (
    content.data,
    content.performance,
    content.segments,
    content.calibration,
    content.stability,
    policy_content.policy,
    policy_content.fairness,
    policy_content.sensitivity,
    people_content.reasons,
    people_content.gates,
    people_content.limits,
    people_content.sign_offs,
)
# A table's column that is there only if something was measured.
_NEEDED = {
    "segment_table": "segment",
    "vintage_table": "vintage",
    "interval_table": "inside",
    "stress_table": "mean_pd",
    "reliability_table": "n",
    "feature_importance": "feature",
    "band_table": "band",
    "cut_off_table": "rule",
    "fairness_table": "attribute",
    "monotonicity_table": "feature",
    "stability_table": "psi",
}
FACTS = ("calibration_tests", "swap_sets", "alternatives", "chosen_parameters")


# Kedro hands over each dataset and each group of parameters by itself.
def write_report(  # noqa: PLR0913, PLR0917
    artifact: Path,
    registration: Mapping[str, Any],
    judgement: Mapping[str, Any],
    metrics: Mapping[str, Any],
    validation_summary: Mapping[str, Any],
    calibration: Mapping[str, Any],
    contract: Contract,
    feature_set: str,
    decision: DecisionParameters,
    reporting: ReportingParameters,
    **shown: Any,
) -> str:
    """Write a candidate's validation report as one page of HTML.

    Args:
        artifact: The artifact's folder, for its manifest.
        registration: Version, run and digest.
        judgement: The gates' verdicts.
        metrics: Split -> measure -> value with its interval.
        validation_summary: Counts of rows read and rejected.
        calibration: ``slope`` and ``intercept``.
        contract: The columns of an application.
        feature_set: Names the features.
        decision: Points scale and policy.
        reporting: Purpose, owner, sign-offs.
        shown: Tables and facts by name, and pictures as ``plots_<name>``.

    Returns:
        HTML that needs no other file.
    """
    found = Evidence(
        contract=contract,
        features=feature_set_of(feature_set, contract),
        decision=decision,
        reporting=reporting,
        manifest=read_manifest(artifact),
        registration=registration,
        judgement=judgement,
        metrics=metrics,
        validation=validation_summary,
        calibration=calibration,
        tables={
            name: known_lines(shown[name], needed)
            for name, needed in _NEEDED.items()
            if isinstance(shown.get(name), pd.DataFrame)
        },
        facts={name: shown[name] for name in FACTS if shown.get(name)},
        plots={
            name.removeprefix("plots_"): item
            for name, item in shown.items()
            if name.startswith("plots_")
        },
    )
    return render(found)


def render(found: Evidence) -> str:
    """Lay the report out as HTML."""
    sections = [write(found) for write in _SECTIONS]
    titles = {
        section.anchor: f"{number} {section.title}"
        for number, section in enumerate(sections, start=1)
    } | {"summary": "first page"}
    regulations = yaml.safe_load((_HERE / "mappings.yml").read_text(encoding="utf-8"))
    sections.append(policy_content.mapped(regulations, titles))
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template(TEMPLATE).render(
        summary=summarise(found),
        portfolio=found.contract.title,
        owner=found.reporting.owner,
        written_at=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        digest=found.registration.get("digest", ""),
        sections=sections,
    )


def log_report_of_candidate(
    validation_report: str, registration: Mapping[str, Any]
) -> None:
    """Add the report to the candidate's run; there is none if it was refused."""
    if registration.get("run_id"):
        log_files(
            str(registration["run_id"]),
            {"reports/validation_report.html": validation_report.encode()},
        )
