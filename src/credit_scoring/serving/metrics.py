"""What the service counts; BentoML shows it in its own ``/metrics``.

The routes run in front of BentoML's middleware, so they bring their own figures.
The metrics belong to prometheus_client's usual registry, or to its files when
BentoML runs several workers, and both are what BentoML's page reads. Labels take
values from short fixed lists only.
"""

from collections import defaultdict
from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from credit_scoring.serving.answers import DecisionAnswer, ModelAnswer
from credit_scoring.serving.idempotency_metrics import IdempotencyMetrics
from credit_scoring.serving.live import LiveGauges
from credit_scoring.serving.override import OverrideMetrics
from credit_scoring.serving.pressure import PressureMetrics
from credit_scoring.serving.routing_metrics import RoutingMetrics
from credit_scoring.serving.runner_metrics import RunnerMetrics
from credit_scoring.serving.tally import Children, Tally, observe_all
from credit_scoring.serving.what_if_metrics import WhatIfMetrics

_DURATION_BUCKETS_SECONDS = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
)  # fmt: skip
_WAIT_BUCKETS_SECONDS = (
    0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 1.0,
)  # fmt: skip
_SCORE_BUCKETS = tuple(range(300, 901, 25))
_SIZE_BUCKETS = (1, 2, 4, 8, 16, 32, 64)

Requested = tuple[str, int, float, str]


class ServiceMetrics:
    """Requests, their durations and problems, decisions, scores and reasons."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; once in a registry."""
        self.registry = registry
        self.tally = Tally(registry)
        self._requested = self.tally.notes(self._count_requests)
        self._answered = self.tally.notes(self._count_answers)
        self._computed = self.tally.notes(self._count_computations)
        self._register_requests(registry)
        self._register_decisions(registry)
        self._outcomes = Counter(
            "credit_scoring_outcomes",
            "Outcomes that were sent, by what became of them",
            ["result"],
            registry=registry,
        )
        self.idempotency = IdempotencyMetrics(registry)
        self.live = LiveGauges(registry)
        self.pressure = PressureMetrics(registry)
        self.routing = RoutingMetrics(registry)
        self.override = OverrideMetrics(registry)
        self.runners = RunnerMetrics(registry)
        self.what_if = WhatIfMetrics(registry)

    def _register_requests(self, registry: CollectorRegistry) -> None:
        requests = Counter(
            "credit_scoring_requests",
            "Requests answered, by route and status code",
            ["route", "status"],
            registry=registry,
        )
        durations = Histogram(
            "credit_scoring_request_duration_seconds",
            "Time from the request's headers to its answer",
            ["route"],
            buckets=_DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        problems = Counter(
            "credit_scoring_problems",
            "Requests answered by a problem, by route and the problem's name",
            ["route", "problem"],
            registry=registry,
        )
        self._requests, self._durations = Children(requests), Children(durations)
        self._problems = Children(problems)

    def _register_decisions(self, registry: CollectorRegistry) -> None:
        decisions = Counter(
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
        scores = Histogram(
            "credit_scoring_score",
            "Score of the decisions that have one, in points",
            ["role"],
            buckets=_SCORE_BUCKETS,
            registry=registry,
        )
        reasons = Counter(
            "credit_scoring_reasons",
            "Reasons given, by their code",
            ["code"],
            registry=registry,
        )
        self._decisions, self._scores = Children(decisions), Children(scores)
        self._reasons = Children(reasons)
        self._batch_sizes = Histogram(
            "credit_scoring_computation_size",
            "Applications of single requests that were computed together",
            buckets=_SIZE_BUCKETS,
            registry=registry,
        )
        self._waits = Histogram(
            "credit_scoring_computation_wait_seconds",
            "Longest wait, of those computed together, for the computation to begin",
            buckets=_WAIT_BUCKETS_SECONDS,
            registry=registry,
        )
        self._models = Gauge(
            "credit_scoring_model_info",
            "1 for each model that is loaded, by role",
            ["role", "name", "version", "digest"],
            registry=registry,
            multiprocess_mode="livemax",
        )

    def count_request(
        self, route: str, status: int, seconds: float, problem: str = ""
    ) -> None:
        """Count an answered request.

        Args:
            route: The route's own path, never the requested one: a stranger
                could ask for millions of paths.
            status: HTTP status code.
            seconds: Time to answer.
            problem: Name of the problem that it was answered by, if it was.
        """
        self._requested.add((route, status, seconds, problem))

    def count_fallback(self, role: str) -> None:
        """Count a model whose compiled form is not used."""
        self._fallbacks.labels(role).inc()

    def count_outcomes(self, result: str, count: int) -> None:
        """Count outcomes that were ``recorded``, ``rejected`` or ``refused``."""
        if count:
            self._outcomes.labels(result).inc(count)

    def count_decision(self, answer: DecisionAnswer) -> None:
        """Count a decision, its score and its reasons; on any thread."""
        self._answered.add(answer)

    def count_computation(self, size: int, wait_seconds: float) -> None:
        """Count a computation.

        Args:
            size: Number of applications.
            wait_seconds: Since the first of them came.
        """
        self._computed.add((size, wait_seconds))

    def show_model(self, model: ModelAnswer) -> None:
        """Show that a model is loaded."""
        labels = (model.role, model.name, model.version, model.digest)
        self._models.labels(*labels).set(1)

    def _count_requests(self, requested: list[Requested]) -> None:
        self._requests.count((route, status) for route, status, _, _ in requested)
        self._problems.count(
            (route, problem) for route, _, _, problem in requested if problem
        )
        seconds = _grouped((route, value) for route, _, value, _ in requested)
        for route, values in seconds.items():
            observe_all(self._durations.of((route,)), values)

    def _count_answers(self, answered: list[DecisionAnswer]) -> None:
        self._decisions.count(
            (a.model.role, a.decision, a.feature_source) for a in answered
        )
        self._reasons.count((r.code,) for a in answered for r in a.reasons)
        scores = _grouped(
            (a.model.role, a.score) for a in answered if a.score is not None
        )
        for role, values in scores.items():
            observe_all(self._scores.of((role,)), values)

    def _count_computations(self, computed: list[tuple[int, float]]) -> None:
        observe_all(self._batch_sizes, [size for size, _ in computed])
        observe_all(self._waits, [seconds for _, seconds in computed])


def _grouped(pairs: Iterable[tuple[str, float]]) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = defaultdict(list)
    for name, value in pairs:
        groups[name].append(value)
    return groups
