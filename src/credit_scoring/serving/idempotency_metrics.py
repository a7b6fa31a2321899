"""What is counted about retries under an idempotency key."""

from typing import Literal

from prometheus_client import REGISTRY, CollectorRegistry, Counter

Step = Literal["claim", "keep", "release"]
_STEPS: tuple[Step, ...] = ("claim", "keep", "release")


class IdempotencyMetrics:
    """Answers repeated, keys used wrongly, and times without the shared store."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; once in a registry."""
        self._replayed = Counter(
            "credit_scoring_idempotency_replayed",
            "Answers repeated under their idempotency key",
            registry=registry,
        )
        self._conflicts = Counter(
            "credit_scoring_idempotency_conflicts",
            "Requests refused as their idempotency key was used for another request",
            registry=registry,
        )
        self._forgotten = Counter(
            "credit_scoring_idempotency_forgotten",
            "Answers forgotten before their time as too many were kept",
            registry=registry,
        )
        degradations = Counter(
            "credit_scoring_idempotency_degradations",
            "Steps that the store shared by the workers did not do",
            ["step"],
            registry=registry,
        )
        self._degradations = {step: degradations.labels(step) for step in _STEPS}

    def count_replayed(self) -> None:
        """Count a repeated answer."""
        self._replayed.inc()

    def count_conflict(self) -> None:
        """Count a key that was used for another request."""
        self._conflicts.inc()

    def count_forgotten(self) -> None:
        """Count an answer that had to be forgotten before its time."""
        self._forgotten.inc()

    def count_degradation(self, step: Step) -> None:
        """Count a step that was done in this process alone."""
        self._degradations[step].inc()
