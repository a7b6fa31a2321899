from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from credit_scoring.errors import PromotionError
from credit_scoring.pipelines.history import create_pipeline, nodes
from credit_scoring.pipelines.history.nodes import answer_history
from credit_scoring.pipelines.history.parameters import HistoryParameters


def record(moment: datetime, champion: int) -> dict[str, Any]:
    return {
        "created_at": moment.isoformat(),
        "kind": "promotion",
        "champion": {"version": champion},
        "challenger": None,
        "decision": f"champion {champion}",
        "actor": "ana",
        "signature": {"key_id": "k"},
        "digest": f"d{champion}",
    }


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found = [
        record(datetime(2026, 11, 3, 23, 59, tzinfo=UTC), 1),
        record(datetime(2026, 11, 7, 0, 0, tzinfo=UTC), 2),
    ]
    opened = SimpleNamespace(log=SimpleNamespace(records=lambda: found))
    monkeypatch.setattr(nodes, "open_promotions", lambda model: opened)
    return found


@pytest.mark.parametrize(
    ("day", "champion"), [(3, 1), (6, 1), (7, 2), (None, 2), (30, 2)]
)
@pytest.mark.usefixtures("records")
def test_the_end_of_the_day_counts(day: int | None, champion: int) -> None:
    asked = HistoryParameters(day=date(2026, 11, day) if day else None)
    found = answer_history(asked)
    assert found["answer"]["champion"]["version"] == champion
    assert found["table"]["champion"].tolist() == [1, 2]


def test_before_the_first_record_nobody_was_champion(
    records: list[dict[str, Any]],
) -> None:
    with pytest.raises(PromotionError, match="first record is of 2026-11-03"):
        answer_history(HistoryParameters(day=date(2026, 11, 2)))
    records.clear()
    with pytest.raises(PromotionError, match="first record is of never"):
        answer_history(HistoryParameters())


def test_the_future_is_not_looked_into(records: list[dict[str, Any]]) -> None:
    records.append(record(datetime.now(UTC) + timedelta(days=2), 3))
    tomorrow = datetime.now(UTC).date() + timedelta(days=5)
    found = answer_history(HistoryParameters(day=tomorrow))
    assert found["answer"]["champion"]["version"] == 2


def test_the_pipeline_reads_parameters_alone() -> None:
    assert create_pipeline().inputs() == {"params:history"}
