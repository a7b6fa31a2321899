"""Back-pressure: rather few answered in time than all of them too late."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from credit_scoring.serving.problems import overloaded


class PressureMetrics:
    """Requests refused because too many wait."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metric; once in a registry."""
        self._refused = Counter(
            "credit_scoring_overloads",
            "Requests refused as too many were waiting, by route",
            ["route"],
            registry=registry,
        )

    def count_refused(self, route: str) -> None:
        """Count a refused request."""
        self._refused.labels(route).inc()


class Gate:
    """Lets a bounded number in; used as a context manager around the waiting."""

    def __init__(self, most: int, *, route: str, metrics: PressureMetrics) -> None:
        """Bound the number of those inside.

        Args:
            most: So many are let in.
            route: For which path, as metrics name it.
            metrics: Counts those refused.
        """
        self._most = most
        self._route = route
        self._metrics = metrics
        self._inside = 0

    def __enter__(self) -> None:
        """Go in.

        Raises:
            ProblemError: If as many are inside as may be (503, Retry-After).
        """
        if self._inside >= self._most:
            self._metrics.count_refused(self._route)
            raise overloaded()
        self._inside += 1

    def __exit__(self, *_: object) -> None:
        """Go out."""
        self._inside -= 1
