"""The shadow: it compares, never disturbs, and says what it left out."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.serving.answers import DecisionAnswer
from credit_scoring.serving.routing_metrics import RoutingMetrics
from credit_scoring.serving.runners import InProcessRunner
from credit_scoring.serving.scoring import Stamp, answer_of
from credit_scoring.serving.shadow import Shadow, ShadowDecision, ShadowListener, nobody

from .conftest import Challenger

STAMP = Stamp("0" * 32, datetime(2024, 1, 1, tzinfo=UTC))


@pytest.fixture
def answered(
    decoder: RequestDecoder, runner: InProcessRunner
) -> Callable[[dict[str, Any]], tuple[Application, DecisionAnswer]]:
    """An application with the champion's answer."""

    def decide(row: dict[str, Any]) -> tuple[Application, DecisionAnswer]:
        application = decoder.decode(msgspec.json.encode(row))
        (decision,) = runner.compute([application], explain=False)
        assert not isinstance(decision, Exception)
        answer = answer_of(runner, application, decision, source="request", stamp=STAMP)
        return application, answer

    return decide


@pytest.fixture
def both(answered: Any, approved: dict[str, Any]) -> Any:
    return answered(approved)


@pytest.fixture
def make(registry: CollectorRegistry) -> Callable[..., Shadow]:
    metrics = RoutingMetrics(registry)

    def shadow(
        challenger: Challenger | None,
        *,
        most_waiting: int = 1000,
        listener: ShadowListener = nobody,
    ) -> Shadow:
        return Shadow(challenger, metrics, most_waiting=most_waiting, listener=listener)

    return shadow


@pytest.fixture
def count(registry: CollectorRegistry) -> Callable[..., float]:
    """A metric's value, waited for until it is as expected."""

    def value(name: str, expected: float, **labels: str) -> float:
        deadline = time.monotonic() + 10
        while True:
            found = registry.get_sample_value(f"credit_scoring_{name}", labels)
            assert found is not None
            if found == expected or time.monotonic() > deadline:
                return found
            time.sleep(0.005)

    return value


def test_both_are_compared(
    challenger: Challenger,
    make: Callable[..., Shadow],
    count: Callable[..., float],
    both: Any,
) -> None:
    """Margins 0.1 and 0.2: scores 517.1 and 514.2, PDs 0.52498 and 0.54983."""
    heard: list[ShadowDecision] = []
    shadow = make(challenger, listener=heard.extend)
    application, answer = both
    shadow.follow(application, answer)
    approve = {"champion": "approve", "challenger": "approve"}
    assert count("shadow_decisions_total", 1, **approve) == 1
    assert count("shadow_score_difference_bucket", 0, le="-5.0") == 0
    assert count("shadow_score_difference_bucket", 1, le="-2.0") == 1
    assert count("shadow_pd_difference_bucket", 0, le="0.02") == 0
    assert count("shadow_pd_difference_bucket", 1, le="0.05") == 1
    shadow.close()
    (decision,) = heard
    assert decision.answer is answer
    assert decision.application is application
    assert decision.challenger.score == 514.2
    assert decision.runner is challenger


def test_a_disagreement_is_counted_by_both_decisions(
    challenger: Challenger,
    make: Callable[..., Shadow],
    answered: Any,
    count: Callable[..., float],
) -> None:
    """Margin 0.9: score 494, so refer; twice that: 468, so decline."""
    row = {"loan_id": "L-1", "amount": 900, "days_late_1": 0}
    make(challenger).follow(*answered(row))
    both = {"champion": "refer", "challenger": "decline"}
    assert count("shadow_decisions_total", 1, **both) == 1


def test_those_who_come_together_are_scored_together(
    challenger: Challenger,
    make: Callable[..., Shadow],
    count: Callable[..., float],
    both: Any,
    challenger_calls: list[int],
) -> None:
    shadow = make(challenger)
    for _ in range(100):
        shadow.follow(*both)
    assert count("shadow_pd_difference_count", 100) == 100
    assert len(challenger_calls) < 20


def test_one_that_raises_is_counted_and_goes_on(
    challenger: Challenger,
    make: Callable[..., Shadow],
    count: Callable[..., float],
    both: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shadow = make(challenger)
    challenger.error = ValueError("secret")
    shadow.follow(*both)
    assert count("shadow_left_out_total", 1, kind="failed") == 1
    challenger.error = None
    shadow.follow(*both)
    assert count("shadow_pd_difference_count", 1) == 1
    assert "the challenger's shadow left out 1 times" in caplog.text
    assert "secret" not in caplog.text


def test_one_that_hangs_fills_the_queue_and_no_more(
    challenger: Challenger,
    make: Callable[..., Shadow],
    count: Callable[..., float],
    both: Any,
) -> None:
    challenger.hangs = True
    shadow = make(challenger, most_waiting=20)
    shadow.follow(*both)
    time.sleep(0.1)  # it hangs on the first
    started = time.monotonic()
    for _ in range(1000):
        shadow.follow(*both)
    assert time.monotonic() - started < 1
    assert count("shadow_left_out_total", 980, kind="lagging") == 980
    challenger.let_go.set()
    assert count("shadow_pd_difference_count", 21) == 21


def test_what_waits_is_told_before_the_end(
    challenger: Challenger, make: Callable[..., Shadow], both: Any
) -> None:
    challenger.seconds = 0.02
    heard: list[ShadowDecision] = []
    shadow = make(challenger, listener=heard.extend)
    for _ in range(200):
        shadow.follow(*both)
    shadow.close()
    assert len(heard) == 200


def test_the_end_does_not_wait_for_one_that_hangs(
    challenger: Challenger, make: Callable[..., Shadow], both: Any
) -> None:
    challenger.hangs = True
    shadow = make(challenger)
    shadow.follow(*both)
    ended = threading.Thread(target=shadow.close)
    ended.start()
    ended.join(30)
    assert not ended.is_alive()


def test_a_listener_that_fails_harms_nothing(
    challenger: Challenger,
    make: Callable[..., Shadow],
    count: Callable[..., float],
    both: Any,
) -> None:
    def listener(decisions: Sequence[ShadowDecision]) -> None:
        raise OSError("the disk is full")

    shadow = make(challenger, listener=listener)
    for _ in range(3):
        shadow.follow(*both)
    assert count("shadow_pd_difference_count", 3) == 3


def test_a_missing_challenger_is_counted(
    make: Callable[..., Shadow],
    count: Callable[..., float],
    both: Any,
) -> None:
    make(None).follow(*both)
    assert count("shadow_left_out_total", 1, kind="missing") == 1
