"""Old segments go, whole, and the index remembers them."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credit_scoring.decision_log.index import INDEX_NAME
from credit_scoring.decision_log.reader import verify_log
from credit_scoring.decision_log.records import DecisionEntry
from credit_scoring.decision_log.retention import months_before
from credit_scoring.decision_log.writer import DecisionLog

Open = Callable[..., DecisionLog]


@pytest.mark.parametrize(
    ("now", "months", "before"),
    [
        ("2026-03-31", 1, "2026-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-03-04", 25, "2024-02-04"),
        ("2026-12-31", 12, "2025-12-31"),
        ("2028-02-29", 48, "2024-02-29"),
    ],
)
def test_months_are_those_of_the_calendar(now: str, months: int, before: str) -> None:
    day = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert months_before(day, months).date().isoformat() == before


def test_a_segment_goes_when_it_is_old_enough(  # noqa: PLR0913, PLR0917
    open_log: Open,
    entry: Callable[..., DecisionEntry],
    clock: object,
    segments: Callable[[], list[Path]],
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    old = open_log(retention_months=2)
    old.append([entry(1), entry(2)])
    old.close()
    (first,) = segments()
    start = clock.now  # type: ignore[attr-defined]

    clock.now = start + timedelta(days=60)  # type: ignore[attr-defined]
    early = open_log(retention_months=2)
    early.append([entry(3)])
    early.close()
    assert first in segments()

    clock.now = start + timedelta(days=62)  # type: ignore[attr-defined]
    late = open_log(retention_months=2)
    late.append([entry(4)])
    late.close()
    assert first not in segments()
    assert f"segment {first.name} removed with 2 decisions" in caplog.text
    assert '"kind":"removed"' in (folder / INDEX_NAME).read_text(encoding="utf-8")
    report = verify_log(folder)
    assert report.faults == ()
    assert report.records == 2


def test_a_segment_that_is_written_stays(
    open_log: Open,
    entry: Callable[..., DecisionEntry],
    clock: object,
    segments: Callable[[], list[Path]],
) -> None:
    old = open_log(retention_months=1)
    old.append([entry(1)])
    clock.now += timedelta(days=400)  # type: ignore[attr-defined]
    open_log(retention_months=1).append([entry(2)])
    assert len(segments()) == 2


def test_a_removal_that_was_interrupted_is_completed(  # noqa: PLR0913, PLR0917
    open_log: Open,
    entry: Callable[..., DecisionEntry],
    clock: object,
    segments: Callable[[], list[Path]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    old = open_log(retention_months=1)
    old.append([entry(1)])
    old.close()
    (first,) = segments()
    clock.now += timedelta(days=40)  # type: ignore[attr-defined]

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        middle = open_log(retention_months=1)
        middle.append([entry(2)])
        middle.close()
    assert first in segments()
    assert f"segment {first.name} cannot be deleted" in caplog.text
    open_log(retention_months=1).append([entry(3)])
    assert first not in segments()
