"""What is counted of runners in services of their own."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from credit_scoring.serving.answers import Role
from credit_scoring.serving.left_out import KINDS, Kind

_ROLES: tuple[Role, ...] = ("champion", "challenger")
_ROWS_BUCKETS = (1, 2, 4, 8, 16, 32, 64)
_CALL_BUCKETS_SECONDS = (
    0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0,
)  # fmt: skip


class RunnerMetrics:
    """Calls, their sizes and times, failures, and what was computed here instead."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; once in a registry."""
        prefix = "credit_scoring_runner"
        rows = Histogram(
            f"{prefix}_call_rows",
            "Applications in one call of a runner's service",
            ["role"],
            buckets=_ROWS_BUCKETS,
            registry=registry,
        )
        seconds = Histogram(
            f"{prefix}_call_duration_seconds",
            "Time of one call of a runner's service that was answered",
            ["role"],
            buckets=_CALL_BUCKETS_SECONDS,
            registry=registry,
        )
        failures = Counter(
            f"{prefix}_call_failures",
            "Calls of a runner's service that came to nothing, by kind",
            ["role", "kind"],
            registry=registry,
        )
        # Of several workers the one that is worst off is shown.
        away = Gauge(
            f"{prefix}_away",
            "1 while a runner's service does not answer and is not asked",
            ["role"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        computed_here = Counter(
            "credit_scoring_champion_computed_here",
            "Applications that the worker computed because the champion's service "
            "did not, by kind",
            ["kind"],
            registry=registry,
        )
        # All children exist from the start, so that rates begin at zero.
        self._rows = {role: rows.labels(role) for role in _ROLES}
        self._seconds = {role: seconds.labels(role) for role in _ROLES}
        self._failures = {
            (role, kind): failures.labels(role, kind)
            for role in _ROLES
            for kind in ("slow", "unavailable")
        }
        self._away = {role: away.labels(role) for role in _ROLES}
        self._computed_here = {kind: computed_here.labels(kind) for kind in KINDS}

    def called(self, role: Role, rows: int, seconds: float) -> None:
        """Count a call that was answered."""
        self._rows[role].observe(rows)
        self._seconds[role].observe(seconds)

    def failed(self, role: Role, kind: Kind) -> None:
        """Count a call that came to nothing: ``slow`` or ``unavailable``."""
        self._failures[role, kind].inc()

    def away(self, role: Role, away: bool) -> None:
        """Note whether a service is asked at all."""
        self._away[role].set(away)

    def computed_here(self, kind: Kind, times: int = 1) -> None:
        """Count applications of the champion that the worker computed itself."""
        self._computed_here[kind].inc(times)
