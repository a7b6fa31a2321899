"""A decision log in a folder of its own, of a model with three features."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.decision_log.records import (
    DecidingModel,
    DecisionEntry,
    LoggedModel,
    LoggedReason,
    Origin,
    ShadowEntry,
)
from credit_scoring.decision_log.writer import DecisionLog, LogParameters

START = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Clock:
    """Goes on by a millisecond whenever it is looked at."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        self.now += timedelta(milliseconds=1)
        return self.now.timestamp()


def an_entry(number: int, **changes: Any) -> DecisionEntry:
    """Give a decision; one second apart from the one before."""
    values: dict[str, Any] = {
        "decision_id": f"{number:032x}",
        "loan_id": f"L-{number}",
        "scored_at": START + timedelta(seconds=number),
        "arm": "champion",
        "feature_source": "request",
        "explained": False,
        "inputs": {"amount": 100.0 + number, "days_late_1": None},
        "features": [0.1 * number, float("nan"), 7.0],
        "margin": -0.1 * number,
        "pd": 0.25,
        "score": 501.5,
        "band": "B",
        "decision": "refer",
        "reasons": [LoggedReason("LATE", "lateness", -12.5)],
        "model": LoggedModel("credit_scoring", "7", "champion", "d" * 64),
        "policy_version": "0123456789abcdef",
    }
    return DecisionEntry(**values | changes)


def a_shadow(number: int, **changes: Any) -> ShadowEntry:
    """Give what the challenger would have decided in place of that decision."""
    values: dict[str, Any] = {
        "decision_id": f"{number:032x}",
        "scored_at": START + timedelta(seconds=number),
        "margin": 0.1 + 0.2,
        "pd": 0.35,
        "score": 470.5,
        "band": "C",
        "decision": "decline",
        "reasons": [LoggedReason("LATE", "lateness", -30.5)],
        "model": LoggedModel("credit_scoring", "8", "challenger", "e" * 64),
        "policy_version": "0123456789abcdef",
    }
    return ShadowEntry(**values | changes)


ORIGIN = Origin(
    service_version="0.1.0",
    contract_digest="c" * 64,
    inputs=("amount", "days_late_1"),
    models=(
        DecidingModel(
            name="credit_scoring",
            version="7",
            role="champion",
            digest="d" * 64,
            policy_version="0123456789abcdef",
            features=("lateness", "size", "age"),
        ),
    ),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a log" / "decisions"


@pytest.fixture
def entry() -> Callable[..., DecisionEntry]:
    return an_entry


@pytest.fixture
def shadow() -> Callable[..., ShadowEntry]:
    return a_shadow


@pytest.fixture
def open_log(folder: Path, clock: Clock) -> Callable[..., DecisionLog]:
    """Open a log of the folder, as another process would."""

    def start(**parameters: Any) -> DecisionLog:
        return DecisionLog(folder, ORIGIN, LogParameters(**parameters), clock=clock)

    return start


@pytest.fixture
def log(open_log: Callable[..., DecisionLog]) -> DecisionLog:
    return open_log()


@pytest.fixture
def segments(folder: Path) -> Callable[[], list[Path]]:
    """List the segments' files."""
    return lambda: sorted(folder.glob("2*.jsonl"))
