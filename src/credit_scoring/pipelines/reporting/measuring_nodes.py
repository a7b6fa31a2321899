"""Nodes that measure what a report shows beside the evidence of the gates."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.contract.model import Contract
from credit_scoring.decision.decisions import Decisions, Outcome
from credit_scoring.evaluation.segments import (
    Outcomes,
    Segment,
    measure_segments,
    quantile_parts,
)
from credit_scoring.pipelines.promotion.nodes import columns_of
from credit_scoring.pipelines.promotion.parameters import PromotionParameters
from credit_scoring.pipelines.reporting.parameters import ReportingParameters
from credit_scoring.pipelines.reporting.stress import stress_lines
from credit_scoring.registry.artifact import Artifact, load_artifact

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Line = dict[str, Any]

FAIRNESS_ALONE = "fairness alone"
# Rarer values of a column are one segment together.
_RARE = 0.01


def measure_for_report(  # noqa: PLR0913, PLR0917 - Kedro hands over each by itself
    artifact: Path,
    test_applications: pd.DataFrame,
    test_protected: pd.DataFrame,
    feature_importance: pd.DataFrame,
    contract: Contract,
    promotion: PromotionParameters,
    reporting: ReportingParameters,
) -> dict[str, pd.DataFrame]:
    """Measure segments, intervals and stresses with the artifact itself.

    Args:
        artifact: The artifact's folder.
        test_applications: Rows that no candidate has seen.
        test_protected: Their protected columns, for fairness alone.
        feature_importance: ``feature``, the strongest first.
        contract: The columns of an application.
        promotion: The protected groups.
        reporting: How many segments, groups and which stresses.

    Returns:
        ``segment_table``, ``interval_table`` and ``stress_table``.

    Raises:
        ArtifactError: If the artifact does not verify.
    """
    loaded = load_artifact(artifact)
    columns = columns_of(test_applications, contract.input_names)
    decisions = loaded.engine.decide_unexplained(columns)
    found = Outcomes(
        pd_=decisions.pd_,
        approved=decisions.outcome == Outcome.APPROVE,
        bad=test_applications["bad"].to_numpy(np.float64),
    )
    strongest = _columns_behind(loaded, feature_importance["feature"].tolist())
    segments = [
        segment
        for name in strongest[: reporting.segment_columns]
        for segment in measure_segments(
            name, _parts(columns[name], contract, name, reporting), found
        )
    ]
    lines = [{**asdict(one), "use": "performance"} for one in segments]
    lines += [
        {**asdict(one), "use": FAIRNESS_ALONE}
        for one in _protected_segments(test_protected, promotion, found)
    ]
    return {
        "segment_table": table(lines),
        "interval_table": table(_interval_lines(loaded, decisions, found, reporting)),
        "stress_table": table(
            stress_lines(loaded, columns, contract, reporting, order=strongest)
        ),
    }


def _columns_behind(artifact: Artifact, features: list[str]) -> list[str]:
    """Contract columns that features read, those of the strongest first.

    Of columns that differ in the number at their end alone, such as months, the
    first stands for all.
    """
    inputs = {f.name: f.inputs for f in artifact.feature_set.features}
    by_stem: dict[str, str] = {}
    for feature in features:
        for column in inputs.get(feature, ()):
            by_stem.setdefault(column.rstrip("0123456789"), column)
    return list(by_stem.values())


def _parts(
    values: Values, contract: Contract, name: str, reporting: ReportingParameters
) -> dict[str, Flags]:
    categories = contract.columns[name].categories
    if not categories:
        return quantile_parts(values, parts=reporting.segment_parts)
    parts = {
        f"{code}: {_short(str(text))}": values == float(code)
        for code, text in categories.items()
    }
    rare = [k for k, belongs in parts.items() if belongs.mean() < _RARE]
    if len(rare) > 1:
        together = np.any([parts.pop(name) for name in rare], axis=0)
        parts[f"{len(rare)} rare values"] = together
    return parts


def _short(text: str, most: int = 40) -> str:
    plain = text.split(" (", maxsplit=1)[0]
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _protected_segments(
    protected: pd.DataFrame, promotion: PromotionParameters, found: Outcomes
) -> list[Segment]:
    segments = []
    for name, asked in promotion.gates.fairness.asked.items():
        if asked.column not in protected:
            continue
        column = pd.to_numeric(protected[asked.column], errors="coerce")
        members = {
            group: which.members(column.to_numpy(np.float64))
            for group, which in asked.groups.items()
        }
        segments += measure_segments(name, members, found)
    return segments


def _interval_lines(
    artifact: Artifact,
    decisions: Decisions,
    found: Outcomes,
    reporting: ReportingParameters,
) -> list[Line]:
    """Compare the intervals of the PD with the bad rates of neighbouring margins."""
    if artifact.engine.uncertainty is None:
        return []
    intervals = artifact.engine.uncertainty.pd_intervals
    ends = np.array(
        [
            (one.low, one.high)
            for one in map(
                intervals.at, decisions.margin.tolist(), decisions.pd_.tolist()
            )
        ]
    )
    groups = min(reporting.interval_groups, len(ends))
    lines = []
    for members in np.array_split(np.argsort(decisions.margin, kind="stable"), groups):
        low, high = ends[members].mean(axis=0).tolist()
        rate = float(found.bad[members].mean())
        lines.append(
            {
                "rows": len(members),
                "mean_pd": float(found.pd_[members].mean()),
                "low": low,
                "high": high,
                "bad_rate": rate,
                "inside": low <= rate <= high,
                "level": intervals.level,
            }
        )
    return lines


def table(lines: list[Line]) -> pd.DataFrame:
    """Lay lines out; a file without any column could not be read again."""
    return pd.DataFrame(lines) if lines else pd.DataFrame(columns=["nothing_measured"])


def known_lines(frame: pd.DataFrame, needed: str) -> list[Mapping[str, Any]]:
    """Lines of a table; none of one that nothing was measured for."""
    if needed not in frame:
        return []
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(k): v for k, v in line.items()} for line in plain.to_dict("records")]
