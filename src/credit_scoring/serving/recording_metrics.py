"""What is counted of the decision log."""

import time
from datetime import datetime

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

_GAUGES_SECONDS = 1.0


class LogMetrics:
    """Records, refusals, and how far the log is behind."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; once in a registry."""
        self._records = Counter(
            "credit_scoring_decision_log_records",
            "Decisions written to the decision log",
            registry=registry,
        )
        self._errors = Counter(
            "credit_scoring_decision_log_errors",
            "Decisions refused because they could not be written",
            registry=registry,
        )
        self._shadows = Counter(
            "credit_scoring_decision_log_shadow_records",
            "Decisions in the shadow written to the decision log",
            registry=registry,
        )
        self._shadow_errors = Counter(
            "credit_scoring_decision_log_shadow_errors",
            "Decisions in the shadow lost because they could not be written",
            registry=registry,
        )
        self._lag = Gauge(
            "credit_scoring_decision_log_lag_seconds",
            "Time from a decision to its being written, about once a second",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._bytes = Gauge(
            "credit_scoring_decision_log_bytes",
            "Size of the segments that are being written, about once a second",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._gauges_at = 0.0

    def count_records(self, count: int, scored_at: datetime, size_bytes: int) -> None:
        """Count written decisions.

        Args:
            count: How many.
            scored_at: Time of the first of them.
            size_bytes: Size of the segment.
        """
        self._records.inc(count)
        now = time.time()
        if now - self._gauges_at >= _GAUGES_SECONDS or now < self._gauges_at:
            self._gauges_at = now
            self._lag.set(max(0.0, now - scored_at.timestamp()))
            self._bytes.set(size_bytes)

    def count_errors(self, count: int) -> None:
        """Count decisions that could not be written."""
        self._errors.inc(count)

    def count_shadows(self, count: int) -> None:
        """Count decisions in the shadow that were written."""
        self._shadows.inc(count)

    def count_shadow_errors(self, count: int) -> None:
        """Count decisions in the shadow that could not be written."""
        self._shadow_errors.inc(count)
