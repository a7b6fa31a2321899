"""What the service counts; BentoML shows it in its own ``/metrics``.

The routes run in front of BentoML's middleware, so they bring their own figures.
The metrics belong to prometheus_client's usual registry, or to its files when
BentoML runs several workers, and both are what BentoML's page reads. Labels take
values from short fixed lists only.
"""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from credit_scoring.serving.idempotency_metrics import IdempotencyMetrics
from credit_scoring.serving.pressure import PressureMetrics
from credit_scoring.serving.routing_metrics import RoutingMetrics
from credit_scoring.serving.runner_metrics import RunnerMetrics

_DURATION_BUCKETS_SECONDS = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
)  # fmt: skip


class ServiceMetrics:
    """Requests, their durations, and decisions."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; once in a registry."""
        self._requests = Counter(
            "credit_scoring_requests",
            "Requests answered, by route and status code",
            ["route", "status"],
            registry=registry,
        )
        self._durations = Histogram(
            "credit_scoring_request_duration_seconds",
            "Time from the request's headers to its answer",
            ["route"],
            buckets=_DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self._decisions = Counter(
            "credit_scoring_decisions",
            "Decisions, by the deciding model's role, outcome and feature source",
            ["role", "decision", "feature_source"],
            registry=registry,
        )
        self._fallbacks = Counter(
            "credit_scoring_model_fallbacks",
            "Models whose margins XGBoost computes, by role, counted at each start",
            ["role"],
            registry=registry,
        )
        self.idempotency = IdempotencyMetrics(registry)
        self.pressure = PressureMetrics(registry)
        self.routing = RoutingMetrics(registry)
        self.runners = RunnerMetrics(registry)
        # labels() costs more than counting: each child is looked up once.
        self._request_children: dict[tuple[str, int], Counter] = {}
        self._duration_children: dict[str, Histogram] = {}
        self._decision_children: dict[tuple[str, str, str], Counter] = {}

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request.

        Args:
            route: The route's own path, never the requested one: a stranger
                could ask for millions of paths.
            status: HTTP status code.
            seconds: Time to answer.
        """
        key = (route, status)
        counter = self._request_children.get(key)
        if counter is None:
            counter = self._requests.labels(*key)
            self._request_children[key] = counter
        counter.inc()
        histogram = self._duration_children.get(route)
        if histogram is None:
            histogram = self._durations.labels(route)
            self._duration_children[route] = histogram
        histogram.observe(seconds)

    def count_decision(self, role: str, decision: str, feature_source: str) -> None:
        """Count a decision."""
        key = (role, decision, feature_source)
        counter = self._decision_children.get(key)
        if counter is None:
            counter = self._decisions.labels(*key)
            self._decision_children[key] = counter
        counter.inc()

    def count_fallback(self, role: str) -> None:
        """Count a model whose compiled form is not used."""
        self._fallbacks.labels(role).inc()
