"""Nodes of the monitoring pipeline."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from credit_scoring.errors import CreditScoringError, MonitoringError
from credit_scoring.monitoring.counting import WindowCounts
from credit_scoring.monitoring.fairness import groups_of
from credit_scoring.monitoring.judging import summary_figures
from credit_scoring.monitoring.matured import measure_matured
from credit_scoring.monitoring.monitoring import (
    Source,
    count_window,
    record_of,
    record_of_failure,
)
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.monitoring.publication import FORMAT, Finding, Summary, worst
from credit_scoring.monitoring.references import ArtifactFeatures, ArtifactReferences
from credit_scoring.monitoring.windows import (
    LogIndex,
    Window,
    due_windows,
    index_log,
)
from credit_scoring.pipelines.monitoring.drift_report import (
    draw_reference,
    drift_report,
)
from credit_scoring.registry.mlflow_reports import log_report
from credit_scoring.replay.artifacts import RegisteredArtifacts
from credit_scoring.wording import counted

Json = dict[str, Any]


def index_decision_log(
    decision_log: Path, earlier_log_index: Json, monitoring: MonitoringParameters
) -> Json:
    """Find out which windows the segments of the log hold decisions of.

    Args:
        decision_log: Folder of the log.
        earlier_log_index: What an earlier run found.
        monitoring: Length of the windows.

    Returns:
        The same for all segments; only new and grown ones are read.
    """
    known = LogIndex.from_json(earlier_log_index, monitoring.window_hours)
    return index_log(decision_log, known).as_json()


def monitor_windows(  # noqa: PLR0913, PLR0917 - one for each dataset
    decision_log: Path,
    log_index: Json,
    earlier_windows: Mapping[str, Json],
    training_reference: pd.DataFrame | None,
    live_protected: pd.DataFrame | None,
    monitoring: MonitoringParameters,
) -> Iterator[Json]:
    """Count and judge each window that is due, one after another.

    Args:
        decision_log: Folder of the log.
        log_index: Which segments hold decisions of which window.
        earlier_windows: Records of the windows that are done.
        training_reference: Training applications with their features, if there
            are any here.
        live_protected: ``loan_id`` and protected columns, if they are known.
        monitoring: Parameters.

    Yields:
        ``record`` and ``html`` of a window; each is kept before the next is begun,
        so that a run which is killed goes on where it was.
    """
    index = LogIndex.from_json(log_index, monitoring.window_hours)
    done = dict(earlier_windows)
    groups = groups_of(live_protected, monitoring.fairness)
    with ExitStack() as until:
        artifacts = RegisteredArtifacts(monitoring.registered_model)
        references = ArtifactReferences(artifacts, until)
        features = ArtifactFeatures(references)
        source = Source(references, groups, monitoring, features)
        for window in due_windows(index, done, monitoring):
            html: bytes | None = None
            try:
                counts = count_window(decision_log, window, index, source)
                record = _judged(window, counts, index, done, monitoring)
                html = _add_report(
                    record, counts, training_reference, references, monitoring
                )
                _track(record, html)
            except CreditScoringError as error:
                record, html = record_of_failure(window, error), None
            done[window.name] = record
            yield {"record": record, "html": html}


def measure_outcomes(
    matured: pd.DataFrame | None, monitoring: MonitoringParameters
) -> Json:
    """Set PDs beside matured outcomes.

    Args:
        matured: Decisions with their status, if the outcomes pipeline has run.
        monitoring: Marks.

    Returns:
        ``figures`` and ``findings``.
    """
    figures, findings = measure_matured(matured, monitoring.outcomes)
    return {"figures": figures, "findings": msgspec.to_builtins(findings)}


def summarise_monitoring(
    monitored_windows: Mapping[str, Json],
    log_index: Json,
    matured_performance: Json,
    earlier_summary: Summary | None,
) -> Summary:
    """Say what the newest window and the outcomes come to.

    Args:
        monitored_windows: Records of all windows.
        log_index: Faults of the log.
        matured_performance: Figures and findings of outcomes.
        earlier_summary: What was published before.

    Returns:
        To be published. A log that was changed, and any window that could not be
        computed, make it an alert.
    """
    now = datetime.now(UTC)
    records = sorted(monitored_windows.values(), key=lambda one: str(one["until"]))
    newest = records[-1] if records else None
    findings = msgspec.convert(
        [*(newest or {"findings": []})["findings"], *matured_performance["findings"]],
        list[Finding],
    )
    findings += _faults(log_index["faults"])
    failed = [record for record in records if not record["computed"]]
    if failed and failed != [newest]:
        windows = counted(len(failed), "window")
        message = f"{windows} could not be computed: due again"
        findings.append(Finding("not_computed", "alert", message, len(failed)))
    success = None if earlier_summary is None else earlier_summary.last_success_at
    return Summary(
        format=FORMAT,
        verdict=worst([finding.verdict for finding in findings]),
        computed_at=now,
        last_success_at=success if failed else now,
        window_since=_moment(newest, "since"),
        window_until=_moment(newest, "until"),
        decisions=int(newest["figures"].get("decisions", 0)) if newest else 0,
        findings=findings,
        figures=_figures(newest, matured_performance),
        report=newest["report"] if newest else None,
        mlflow_run_id=newest.get("mlflow_run_id") if newest else None,
    )


def _judged(
    window: Window,
    counts: WindowCounts,
    index: LogIndex,
    done: Mapping[str, Json],
    monitoring: MonitoringParameters,
) -> Json:
    before = sorted(
        (record for name, record in done.items() if Window.named(name) < window),
        key=lambda record: str(record["until"]),
    )
    return record_of(
        window,
        counts,
        segments=index.segments(window),
        earlier=before,
        parameters=monitoring,
    )


def _add_report(
    record: Json,
    counts: WindowCounts,
    training: pd.DataFrame | None,
    references: ArtifactReferences,
    monitoring: MonitoringParameters,
) -> bytes | None:
    """Make Evidently's report, or say in the record why there is none."""
    main = counts.main
    if main is None or not monitoring.sample_rows:
        record["evidently"] = {"absent": "no decisions to report, or no report wanted"}
        return None
    try:
        model = counts.models[main]
        folder = references.folder(main)
        reference = draw_reference(training, model, folder, monitoring)
        found = drift_report(model, reference, record=record)
    except MonitoringError as error:
        record["evidently"] = {"absent": str(error)}
        return None
    record["evidently"] = found.figures
    record["report"] = f"{record['window']}.html"
    return found.html


def _track(record: Json, html: bytes | None) -> None:
    """Log the window to MLflow, as a run below the current one."""
    figures = {
        name: value
        for name, value in summary_figures(record).items()
        if value is not None
    }
    files = {} if html is None else {"drift.html": html}
    record["mlflow_run_id"] = log_report(
        f"monitoring {record['window']}",
        figures,
        files=files,
        facts={"window.json": record},
    )


def _faults(faults: Mapping[str, list[str]]) -> list[Finding]:
    whole = [fault for several in faults.values() for fault in several]
    if not whole:
        return []
    number = counted(len(whole), "fault")
    message = f"{number} in the chain of the decision log: {whole[0]}"
    return [Finding("decision_log", "alert", message[:500], len(whole))]


def _moment(record: Json | None, name: str) -> datetime | None:
    return datetime.fromisoformat(record[name]) if record else None


def _figures(newest: Json | None, matured: Json) -> dict[str, float | None]:
    figures = summary_figures(newest) if newest and newest["computed"] else {}
    models = matured["figures"].get("models", {})
    main = models.get(newest["figures"].get("main_model"), {}) if newest else {}
    known = {name: main.get(name) for name in ("outcomes", "bad_rate", "auc", "brier")}
    return figures | {f"matured_{name}": value for name, value in known.items()}
