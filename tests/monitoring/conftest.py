"""A lender of two features, and real decision logs of days gone by."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from credit_scoring.decision_log.records import (
    DecidingModel,
    DecisionEntry,
    LoggedModel,
    LoggedReason,
    Origin,
)
from credit_scoring.decision_log.writer import DecisionLog, LogParameters
from credit_scoring.monitoring.bins import ReferenceBins
from credit_scoring.monitoring.monitoring import Source
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.registry.reference import reference_distributions

DAY = datetime(2026, 3, 4, tzinfo=UTC)
DIGEST = "d" * 64
NAMES = ("lateness", "size")
ORIGIN = Origin(
    service_version="0.1.0",
    contract_digest="c" * 64,
    inputs=("amount", "days_late_1"),
    models=(DecidingModel("credit_scoring", "7", "champion", DIGEST, "p" * 16, NAMES),),
)


def drawn(rows: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Draw scores and features; a shift moves the lateness, and so the score."""
    generator = np.random.default_rng(seed)
    late = generator.normal(shift, 1, rows)
    size = np.where(generator.random(rows) < 0.1, np.nan, generator.random(rows))
    return np.column_stack([np.round(520 - 30 * late, 1), late, size])


@pytest.fixture(scope="session")
def bins() -> ReferenceBins:
    table = drawn(10_000, seed=1)
    reference = reference_distributions(table[:, 0], table[:, 1:], NAMES)
    return ReferenceBins.of_reference(reference, NAMES)


def entries(
    table: np.ndarray, day: datetime, start: int = 0, **changes: Any
) -> list[DecisionEntry]:
    """Decisions with these scores and features, spread over a day."""
    made = []
    for number, (score, late, size) in enumerate(table.tolist(), start=start):
        pd_ = float(1 / (1 + np.exp((score - 480) / 29)))
        values: dict[str, Any] = {
            "decision_id": f"{day:%y%m%d}{number:026x}",
            "loan_id": f"L-{number}",
            "scored_at": day + timedelta(seconds=number % 86_400),
            "arm": "champion",
            "feature_source": "request",
            "explained": False,
            "inputs": {"amount": None if np.isnan(size) else size, "days_late_1": late},
            "features": [late, size],
            "margin": -0.1,
            "pd": pd_,
            "score": score,
            "band": "B",
            "decision": "approve" if score >= 510 else "decline",
            "reasons": [LoggedReason("LATE", "lateness", -1.0)],
            "model": LoggedModel("credit_scoring", "7", "champion", DIGEST),
            "policy_version": "p" * 16,
        }
        made.append(DecisionEntry(**values | changes))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "decisions"


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    """Write a segment of the log as a worker of that time did; gives its file."""

    def log(decisions: Sequence[DecisionEntry]) -> Path:
        before = set(folder.glob("2*.jsonl"))
        at = decisions[0].scored_at.timestamp()
        writer = DecisionLog(folder, ORIGIN, LogParameters(), clock=lambda: at)
        for begin in range(0, len(decisions), 500):
            writer.append(decisions[begin : begin + 500])
        writer.close()
        (made,) = set(folder.glob("2*.jsonl")) - before
        return made

    return log


@pytest.fixture
def parameters() -> MonitoringParameters:
    return MonitoringParameters(
        least_decisions=200,
        sample_rows=100,
        as_of=DAY + timedelta(days=1, hours=2),
        fairness={
            "attributes": {
                "sex": {
                    "column": "sex",
                    "groups": {"male": {"values": [1]}, "female": {"values": [2]}},
                }
            }
        },
    )


def no_features(digest: str, decisions: Sequence[DecisionEntry]) -> list[None]:
    """Where no artifact is at hand to compute them."""
    return [None] * len(decisions)


@pytest.fixture
def source(bins: ReferenceBins, parameters: MonitoringParameters) -> Source:
    return Source(lambda digest, names: bins, {}, parameters, no_features)
