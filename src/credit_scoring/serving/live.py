"""Live figures: how far scores and features are from the model's reference now."""

from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Protocol

import msgspec
import numpy as np
from msgspec import Meta
from prometheus_client import REGISTRY, CollectorRegistry, Gauge

from credit_scoring.decision.decisions import Decision
from credit_scoring.evaluation.stability import psi_of_counts
from credit_scoring.monitoring.bins import Counts
from credit_scoring.monitoring.publication import (
    VERDICTS,
    Summary,
    UnreadableSummaryError,
    read_summary,
)
from credit_scoring.serving.live_window import Counted, LiveWindow
from credit_scoring.serving.tally import Notes, Tally


class Movement(msgspec.Struct, frozen=True):
    """How far one distribution has moved."""

    psi: Annotated[
        float | None,
        Meta(description="Of the window against the reference; null if not known."),
    ]
    missing: Annotated[
        float | None, Meta(description="Share of missing values in the window.")
    ]
    missing_expected: Annotated[
        float, Meta(description="Share of missing values in the reference.")
    ]


class LiveFigures(msgspec.Struct, frozen=True):
    """The live window of the champion's decisions, of all workers."""

    applications: int
    since: Annotated[datetime, Meta(tz=True)] | None
    until: Annotated[datetime, Meta(tz=True)] | None
    least: Annotated[int, Meta(description="With fewer there is no PSI.")]
    reason: Annotated[
        str | None, Meta(description="Why there is no PSI; null if there is.")
    ]
    score: Movement | None
    features: dict[str, Movement]


class LiveGauges:
    """The live figures and the published verdict, as metrics."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; once in a registry."""
        # Whichever worker shows the metrics has just computed them for all.
        newest: Literal["livemostrecent"] = "livemostrecent"
        self._applications = Gauge(
            "credit_scoring_live_window_decisions",
            "Decisions of the champion in the live window, of all workers",
            registry=registry,
            multiprocess_mode=newest,
        )
        self._score = Gauge(
            "credit_scoring_score_psi",
            "PSI of the live window's score against training; NaN with too few",
            registry=registry,
            multiprocess_mode=newest,
        )
        self._features = Gauge(
            "credit_scoring_feature_psi",
            "PSI of a feature in the live window against training; NaN with too few",
            ["feature"],
            registry=registry,
            multiprocess_mode=newest,
        )
        self._success = Gauge(
            "credit_scoring_monitoring_last_success_timestamp_seconds",
            "When a monitoring run last did all it had to; 0: none is known",
            registry=registry,
            multiprocess_mode=newest,
        )
        self._verdicts = Gauge(
            "credit_scoring_monitoring_verdict",
            "1 for the verdict that was published last",
            ["verdict"],
            registry=registry,
            multiprocess_mode=newest,
        )

    def show(self, figures: LiveFigures, summary: Summary | None) -> None:
        """Show the figures of now."""
        self._applications.set(figures.applications)
        self._score.set(_or_nan(figures.score))
        for name, movement in figures.features.items():
            self._features.labels(name).set(_or_nan(movement))
        success = summary.last_success_at if summary else None
        self._success.set(success.timestamp() if success else 0)
        for verdict in VERDICTS:
            said = summary is not None and summary.verdict == verdict
            self._verdicts.labels(verdict).set(int(said))


class LiveListener(Protocol):
    """Hears of the champion's decisions, on any thread; it must return at once."""

    def __call__(self, decision: Decision) -> None:
        """Hear of one decision."""


def hear_nothing(decision: Decision) -> None:
    """Count nothing: for documentation and tests."""


class LiveMonitor:
    """Counts the champion's decisions, and says how far they have moved."""

    def __init__(
        self,
        window: LiveWindow | None,
        gauges: LiveGauges,
        *,
        tally: Tally,
        folder: Path,
        least: int,
    ) -> None:
        """Count with the tally, and refresh the metrics whenever they are read.

        Args:
            window: None if the artifact has no reference.
            gauges: Show the figures.
            tally: Has the notes counted off the way of the requests.
            folder: Where monitoring runs publish.
            least: With fewer decisions in the window there is no PSI.
        """
        self._window = window
        self._gauges = gauges
        self._folder = folder
        self._least = least
        self._notes: Notes = tally.notes(self._count)
        tally.before_reading(self._refresh)

    def hear(self, decision: Decision) -> None:
        """Count a decision later."""
        if self._window is not None and decision.features is not None:
            self._notes.add(decision)

    def figures(self) -> LiveFigures:
        """Compute the figures; what is noted in this worker must be counted."""
        window = self._window
        if window is None:
            reason = "the champion's artifact has no reference distributions"
            return LiveFigures(0, None, None, self._least, reason, None, {})
        total = window.total()
        few = total.rows < self._least
        moved = [
            _movement(expected, actual, few=few)
            for expected, actual in zip(window.bins.expected, total.counts, strict=True)
        ]
        return LiveFigures(
            applications=total.rows,
            since=_moment(total.since),
            until=_moment(total.until),
            least=self._least,
            reason=_reason(total, self._least) if few else None,
            score=moved[0],
            features=dict(zip(window.bins.names[1:], moved[1:], strict=True)),
        )

    def summary(self) -> Summary | str:
        """Read what a monitoring run published last, or why there is nothing."""
        try:
            return read_summary(self._folder)
        except UnreadableSummaryError as error:
            return str(error)

    def _refresh(self) -> None:
        summary = self.summary()
        known = summary if isinstance(summary, Summary) else None
        self._gauges.show(self.figures(), known)

    def _count(self, noted: list[Decision]) -> None:
        if self._window is None:
            return
        flat = array("d")
        for decision in noted:
            flat.append(np.nan if decision.score is None else decision.score)
            flat.fromlist(decision.features or [])
        rows = np.frombuffer(flat).reshape(len(noted), -1)
        self._window.add(rows)


def _movement(expected: Counts, actual: Counts, *, few: bool) -> Movement:
    rows = int(actual.sum())
    return Movement(
        psi=None if few or not rows else round(psi_of_counts(expected, actual), 6),
        missing=int(actual[-1]) / rows if rows else None,
        missing_expected=int(expected[-1]) / int(expected.sum()),
    )


def _reason(total: Counted, least: int) -> str:
    return f"{total.rows} decisions in the window; at least {least} are needed"


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _or_nan(movement: Movement | None) -> float:
    known = movement is not None and movement.psi is not None
    return movement.psi if known else np.nan  # type: ignore[union-attr,return-value]
