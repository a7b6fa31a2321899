"""What is counted about routing, and about the challenger in the shadow."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from credit_scoring.decision.decisions import Outcome
from credit_scoring.serving.left_out import KINDS, Kind

_OUTCOMES = tuple(outcome.label for outcome in Outcome)
_PD_BUCKETS = (
    -0.5, -0.2, -0.1, -0.05, -0.02, -0.01, 0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,
)  # fmt: skip
_SCORE_BUCKETS = (-100, -50, -20, -10, -5, -2, 0, 2, 5, 10, 20, 50, 100)


class RoutingMetrics:
    """Fallbacks to the champion, and how the challenger differs from it."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; once in a registry."""
        fallbacks = Counter(
            "credit_scoring_challenger_fallbacks",
            "Applications of the challenger's share that the champion decided",
            ["kind"],
            registry=registry,
        )
        left_out = Counter(
            "credit_scoring_shadow_left_out",
            "Decisions of the champion that were not compared with the challenger's",
            ["kind"],
            registry=registry,
        )
        compared = Counter(
            "credit_scoring_shadow_decisions",
            "Decisions of the champion and of the challenger on the same application",
            ["champion", "challenger"],
            registry=registry,
        )
        self._pd_difference = Histogram(
            "credit_scoring_shadow_pd_difference",
            "PD of the challenger less that of the champion",
            buckets=_PD_BUCKETS,
            registry=registry,
        )
        self._score_difference = Histogram(
            "credit_scoring_shadow_score_difference",
            "Score of the challenger less that of the champion, in points",
            buckets=_SCORE_BUCKETS,
            registry=registry,
        )
        # All children exist from the start, so that rates begin at zero.
        self._fallbacks = {kind: fallbacks.labels(kind) for kind in KINDS}
        self._left_out = {kind: left_out.labels(kind) for kind in KINDS}
        self._compared = {
            (ours, theirs): compared.labels(ours, theirs)
            for ours in _OUTCOMES
            for theirs in _OUTCOMES
        }

    def count_fallback(self, kind: Kind) -> None:
        """Count an application that the champion decided in the other's place."""
        self._fallbacks[kind].inc()

    def count_left_out(self, kind: Kind, times: int = 1) -> None:
        """Count decisions that were not compared."""
        self._left_out[kind].inc(times)

    def compare(
        self, champion: str, challenger: str, *, pd_: float, score: float
    ) -> None:
        """Count a comparison.

        Args:
            champion: Its decision.
            challenger: Its decision.
            pd_: Difference of the PDs, challenger's less champion's.
            score: Difference of the scores in points, the same way round.
        """
        self._compared[champion, challenger].inc()
        self._pd_difference.observe(pd_)
        self._score_difference.observe(score)
