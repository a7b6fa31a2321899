"""The circuit breaker, state by state."""

import logging
from typing import Any

import pytest

from credit_scoring.feature_store.circuit import Circuit
from credit_scoring.feature_store.observer import (
    CircuitState,
    Fault,
    SilentObserver,
    StoreObserver,
)

CLOSED, HALF_OPEN, OPEN = CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN


def test_it_opens_after_failures_in_a_row_and_says_so_once(recorder: Any) -> None:
    circuit = Circuit(recorder, failures_to_open=3)
    assert not circuit.failed(Fault.TIMEOUT)
    assert not circuit.failed(Fault.TIMEOUT)
    circuit.succeeded()
    assert [circuit.failed(Fault.TIMEOUT) for _ in range(5)] == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert circuit.state is OPEN
    assert recorder.states == [OPEN]


def test_a_probe_decides(recorder: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    circuit = Circuit(recorder, failures_to_open=1)
    circuit.failed(Fault.CONNECTION)
    circuit.probing()
    assert not circuit.is_closed
    circuit.probe_failed(Fault.CONNECTION)
    circuit.probing()
    circuit.succeeded()
    assert circuit.is_closed
    assert recorder.states == [OPEN, HALF_OPEN, OPEN, HALF_OPEN, CLOSED]
    assert len(caplog.records) == 2, "the way in and the way out, not each attempt"


def test_a_probe_before_the_first_question_may_open_it(recorder: Any) -> None:
    circuit = Circuit(recorder)
    circuit.probe_failed(Fault.REFUSED)
    assert recorder.states == [OPEN]


def test_nobody_needs_to_watch() -> None:
    observer: StoreObserver = SilentObserver()
    observer.looked_up(hits=1, misses=0)
    observer.failed("read", Fault.FULL, 1)
    observer.read_in(0.1)
    observer.circuit(OPEN)
    observer.queued(1)
    observer.dropped(1)
    observer.wrote(1)
