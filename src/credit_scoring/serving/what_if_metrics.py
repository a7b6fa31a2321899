"""What is tried without being decided; counted apart from decisions."""

from typing import Literal

from prometheus_client import REGISTRY, CollectorRegistry, Counter


class WhatIfMetrics:
    """What was tried; decisions are counted elsewhere and do not contain it."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metric; once in a registry."""
        self._tried = Counter(
            "credit_scoring_what_ifs",
            "Decisions tried without being made, by what was asked and what came out",
            ["asked", "decision"],
            registry=registry,
        )

    def count(self, asked: Literal["decision", "approval"], decision: str) -> None:
        """Count an answer."""
        self._tried.labels(asked, decision).inc()
