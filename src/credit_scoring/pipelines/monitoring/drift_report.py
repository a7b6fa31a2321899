"""Evidently's report of a window: a bounded sample beside training applications."""

import re
import warnings
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from credit_scoring.decision.logistic import pd_and_score
from credit_scoring.errors import ArtifactError, MonitoringError
from credit_scoring.evaluation.stability import psi_of_counts
from credit_scoring.monitoring.bins import SCORE
from credit_scoring.monitoring.counting import ModelCounts
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.registry.artifact import load_artifact

Json = dict[str, Any]

# The training table must be the one that the reference was made of.
_SAME_PSI = 0.01


@dataclass(frozen=True)
class DriftReport:
    """A report as a page, and what it says.

    Attributes:
        html: A page that holds all it needs.
        figures: JSON values.
    """

    html: bytes
    figures: Json


def draw_reference(
    training: pd.DataFrame | None,
    model: ModelCounts,
    folder: Path | None,
    parameters: MonitoringParameters,
) -> pd.DataFrame:
    """Draw training applications, and score them with the model that decided.

    Args:
        training: ``split`` and the features; None if there is no such table.
        model: What the model decided.
        folder: Its artifact.
        parameters: How many, and the seed.

    Returns:
        Score and features.

    Raises:
        MonitoringError: If there is no table, or it is not what the model was
            trained on.
    """
    if training is None or folder is None or model.bins is None:
        raise MonitoringError("the training applications or the artifact are not here")
    if not {"split", *model.names} <= set(training.columns):
        raise MonitoringError("the training table has not the model's features")
    rows = training.loc[training["split"] == "train", list(model.names)]
    x = np.ascontiguousarray(rows.to_numpy("float64", na_value=np.nan))
    try:
        artifact = load_artifact(folder)
    except ArtifactError as error:
        raise MonitoringError(f"the artifact cannot be loaded: {error}") from None
    score, pd_ = np.empty(len(x)), np.empty(len(x))
    pd_and_score(artifact.model.margin(x), artifact.engine.grading.line, pd_, score)
    table = np.column_stack([score, x])
    counts = model.bins.empty()
    model.bins.count(table, counts)
    pairs = zip(model.bins.expected, counts, strict=True)
    if not len(x) or max(psi_of_counts(a, b) for a, b in pairs) > _SAME_PSI:
        raise MonitoringError("the training table is not the one of the model")
    generator = np.random.default_rng(parameters.seed)
    most = min(len(table), parameters.sample_rows)
    drawn = np.sort(generator.choice(len(table), most, replace=False))
    return pd.DataFrame(table[drawn], columns=[SCORE, *model.names])


def drift_report(
    model: ModelCounts, reference: pd.DataFrame, *, record: Json
) -> DriftReport:
    """Compare a model's decisions with training by Evidently.

    Args:
        model: What it decided, with a sample.
        reference: As `draw_reference` gives it.
        record: Of the window; its findings stand at the head of the page.

    Raises:
        MonitoringError: If Evidently cannot compare them.
    """
    current = pd.DataFrame(model.sample(), columns=reference.columns)
    # A column without a value on one side has no distribution to compare.
    usable = [
        name
        for name in reference.columns
        if reference[name].notna().any() and current[name].notna().any()
    ]
    said = {
        "window": f"{record['since']} to {record['until']}",
        "verdict": record["verdict"],
        "decisions": f"{len(current)} drawn by a seed from {model.rows}",
        "reference": f"{len(reference)} drawn from the model's training applications",
    }
    with warnings.catch_warnings():
        # Its dependencies are deprecated in each other, and nobody here can mend it.
        warnings.simplefilter("ignore")
        snapshot = _run(current[usable], reference[usable], said)
        html: str = snapshot.get_html_str(as_iframe=False)
        metrics = snapshot.dict()["metrics"]
    html = html.replace("<body>", f"<body>{_heading(said, record)}", 1)
    return DriftReport(html.encode(), _figures(metrics) | said)


def _run(current: pd.DataFrame, reference: pd.DataFrame, said: Json) -> Any:
    # Seconds to import, and only a window that has a report needs it.
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=list(current.columns))
    report = Report([DataDriftPreset(method="psi")], metadata=said)
    try:
        return report.run(
            Dataset.from_pandas(current, data_definition=definition),
            Dataset.from_pandas(reference, data_definition=definition),
        )
    except (ValueError, TypeError, KeyError, ZeroDivisionError) as error:
        name = type(error).__name__
        raise MonitoringError(f"Evidently could not compare them: {name}") from error


def _heading(said: Json, record: Json) -> str:
    lines = "".join(f"<p><b>{name}</b>: {escape(said[name])}</p>" for name in said)
    found = "".join(
        f"<li><b>{finding['verdict']}</b>: {escape(finding['message'])}</li>"
        for finding in record["findings"]
    )
    style = "font-family: sans-serif; margin: 1em 2em; line-height: 1.2"
    head = "<h1>Drift of decisions</h1>"
    return f'<header style="{style}">{head}{lines}<ul>{found}</ul></header>'


def _figures(metrics: list[Json]) -> Json:
    columns: dict[str, float] = {}
    drifted = 0
    for metric in metrics:
        name, value = str(metric["metric_name"]), metric["value"]
        column = re.match(r"ValueDrift\(column=(\w+),", name)
        if column:
            columns[column[1]] = float(value)
        elif name.startswith("DriftedColumnsCount"):
            drifted = int(value["count"])
    return {"drifted_columns": drifted, "columns": columns}
