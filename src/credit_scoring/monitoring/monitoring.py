"""One window from its decisions to its record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from credit_scoring.decision_log.reader import Logged
from credit_scoring.decision_log.records import DecisionEntry
from credit_scoring.errors import CreditScoringError
from credit_scoring.monitoring.counting import FeatureRows, References, WindowCounts
from credit_scoring.monitoring.judging import judge_window
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.monitoring.publication import Finding
from credit_scoring.monitoring.windows import LogIndex, Window, hear_window

Json = dict[str, Any]

RECORD_FORMAT = 1


@dataclass(frozen=True)
class Source:
    """What windows are counted with.

    Attributes:
        references: Find a model's bins.
        groups: Attribute -> loan_id -> group; empty if none are known.
        parameters: Of the run.
        feature_rows: Find the features of decisions that are logged without, as those
            of batches are.
    """

    references: References
    groups: Mapping[str, Mapping[str, str]]
    parameters: MonitoringParameters
    feature_rows: FeatureRows

    def empty(self) -> WindowCounts:
        """Counts of no decision."""
        return WindowCounts(
            self.references,
            self.groups,
            feature_rows=self.feature_rows,
            sample=self.parameters.sample_rows,
            seed=self.parameters.seed,
        )


def take(counts: WindowCounts, logged: Logged[DecisionEntry]) -> None:
    """Count one decision as the log's reader gives it."""
    entry, origin = logged.entry, logged.header.origin
    features = next(
        (m.features for m in origin.models if m.digest == entry.model.digest), ()
    )
    counts.add(
        entry,
        contract_digest=origin.contract_digest,
        inputs=origin.inputs,
        features=features,
    )


def count_decisions(
    decisions: Iterable[Logged[DecisionEntry]], source: Source
) -> WindowCounts:
    """Count decisions, whatever window they are of."""
    counts = source.empty()
    for logged in decisions:
        take(counts, logged)
    counts.finish()
    return counts


def count_window(
    folder: Path, window: Window, index: LogIndex, source: Source
) -> WindowCounts:
    """Count the decisions of a window out of the log, in bounded memory.

    Raises:
        DecisionLogError: If the log cannot be read.
    """
    counts = source.empty()

    def hear(logged: Logged[Any]) -> None:
        take(counts, logged)

    hear_window(folder, window, index.segments(window), heard=hear)
    counts.finish()
    return counts


def record_of(
    window: Window,
    counts: WindowCounts,
    *,
    segments: Mapping[str, int],
    earlier: Sequence[Json],
    parameters: MonitoringParameters,
) -> Json:
    """Judge a window, and write down what was found.

    Args:
        window: Which.
        counts: Its decisions.
        segments: Segment -> decisions that it holds of the window.
        earlier: Records of windows before it, the newest last.
        parameters: Marks.

    Returns:
        A JSON value; see ``docs/reference/monitoring.md``.
    """
    judged = judge_window(counts, earlier, parameters)
    return _record(window, segments) | {
        "computed": True,
        "verdict": judged.verdict,
        "figures": judged.figures,
        "findings": msgspec.to_builtins(judged.findings),
        "report": None,
    }


def record_of_failure(window: Window, error: CreditScoringError) -> Json:
    """Write down that a window could not be computed: an alert, and due again."""
    finding = Finding("not_computed", "alert", f"not computed: {error}"[:500])
    return _record(window, {}) | {
        "computed": False,
        "verdict": "alert",
        "figures": {},
        "findings": msgspec.to_builtins([finding]),
        "report": None,
    }


def _record(window: Window, segments: Mapping[str, int]) -> Json:
    return {
        "format": RECORD_FORMAT,
        "window": window.name,
        "since": window.since.isoformat(),
        "until": window.until.isoformat(),
        "segments": dict(segments),
        "computed_at": datetime.now(UTC).isoformat(),
    }
