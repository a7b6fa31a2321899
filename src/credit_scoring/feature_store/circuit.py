"""The circuit breaker: a store that does not answer is not waited for each time."""

import logging
from dataclasses import dataclass, field

from credit_scoring.feature_store.observer import (
    CircuitState,
    Fault,
    StoreObserver,
)

_LOG = logging.getLogger(__name__)


@dataclass
class Circuit:
    """Opens after failures in a row, and closes when a probe succeeds.

    Closed, the store is asked. Open, it is not, and nobody waits. Half open, a
    probe is under way, and still nobody waits for it.

    Attributes:
        observer: Told each state.
        failures_to_open: Failures in a row that open it.
    """

    observer: StoreObserver
    failures_to_open: int = 3
    state: CircuitState = field(default=CircuitState.CLOSED, init=False)
    _failures: int = field(default=0, init=False)

    @property
    def is_closed(self) -> bool:
        """Whether the store may be asked."""
        return self.state is CircuitState.CLOSED

    def succeeded(self) -> None:
        """Note that the store has answered."""
        self._failures = 0
        if not self.is_closed:
            _LOG.info("the feature store answers again; it is asked from now on")
            self._enter(CircuitState.CLOSED)

    def failed(self, fault: Fault) -> bool:
        """Note that the store has not answered.

        Returns:
            Whether this has opened the circuit: a probe has to be arranged.
        """
        self._failures += 1
        if self.is_closed and self._failures >= self.failures_to_open:
            self._open(fault)
            return True
        return False

    def probing(self) -> None:
        """Note that a probe is under way."""
        self._enter(CircuitState.HALF_OPEN)

    def probe_failed(self, fault: Fault) -> None:
        """Note that a probe has failed: the circuit is open."""
        if self.is_closed:
            self._open(fault)
        else:
            self._enter(CircuitState.OPEN)

    def _open(self, fault: Fault) -> None:
        _LOG.warning(
            "the feature store does not answer (%s): applications without history "
            "are referred until it does",
            fault.value,
        )
        self._enter(CircuitState.OPEN)

    def _enter(self, state: CircuitState) -> None:
        self.state = state
        self.observer.circuit(state)
