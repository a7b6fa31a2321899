"""What the service counts of the store of histories."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from credit_scoring.feature_store.observer import CircuitState, Fault, Operation

_READ_BUCKETS_SECONDS = (
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1.0,
)  # fmt: skip
_LEVELS = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


class HistoryMetrics:
    """Hits and misses, failures by kind, the circuit, and the queue of writes."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register the metrics; once in a registry."""
        prefix = "credit_scoring_feature_store"
        lookups = Counter(
            f"{prefix}_lookups",
            "Histories asked for and answered, by whether there was one",
            ["result"],
            registry=registry,
        )
        self._hits, self._misses = lookups.labels("hit"), lookups.labels("miss")
        failures = Counter(
            f"{prefix}_errors",
            "Histories that could not be read or written, by kind",
            ["operation", "kind"],
            registry=registry,
        )
        self._failures = {
            (operation, fault): failures.labels(operation, fault.value)
            for operation in ("read", "write")
            for fault in Fault
        }
        self._read_seconds = Histogram(
            f"{prefix}_read_duration_seconds",
            "Time of one question to the store, for one or many histories",
            buckets=_READ_BUCKETS_SECONDS,
            registry=registry,
        )
        # Of several workers the one that is worst off is shown.
        self._circuit = Gauge(
            f"{prefix}_circuit_state",
            "0: the store is asked; 1: it is tried; 2: it is not asked",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._circuit.set(0)
        self._queue = Gauge(
            f"{prefix}_write_queue_length",
            "Histories that wait to be written",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._dropped = Counter(
            f"{prefix}_writes_dropped",
            "Histories that were dropped from a full queue",
            registry=registry,
        )
        self._written = Counter(
            f"{prefix}_writes",
            "Histories that the store has taken",
            registry=registry,
        )

    def looked_up(self, *, hits: int, misses: int) -> None:
        """Count histories that the store had, and that it did not have."""
        self._hits.inc(hits)
        self._misses.inc(misses)

    def failed(self, operation: Operation, fault: Fault, histories: int) -> None:
        """Count histories that could not be read or written."""
        self._failures[operation, fault].inc(histories)

    def read_in(self, seconds: float) -> None:
        """Note how long one question took."""
        self._read_seconds.observe(seconds)

    def circuit(self, state: CircuitState) -> None:
        """Show the state of the circuit."""
        self._circuit.set(_LEVELS[state])

    def queued(self, length: int) -> None:
        """Show how many histories wait to be written."""
        self._queue.set(length)

    def dropped(self, histories: int) -> None:
        """Count histories that were dropped."""
        self._dropped.inc(histories)

    def wrote(self, histories: int) -> None:
        """Count histories that were written."""
        self._written.inc(histories)
