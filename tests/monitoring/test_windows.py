"""Which windows are due, whatever happened to the run or the log before."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.errors import DecisionLogError
from credit_scoring.monitoring.monitoring import Source, count_window
from credit_scoring.monitoring.parameters import MonitoringParameters
from credit_scoring.monitoring.windows import LogIndex, Window, due_windows, index_log

from .conftest import DAY, drawn, entries

NOTHING = LogIndex(24, {}, {}, {})


def record(index: LogIndex, window: Window, **changes: Any) -> dict[str, Any]:
    return {"computed": True, "segments": index.segments(window)} | changes


def test_windows_begin_at_midnight_in_utc_and_are_named_by_it() -> None:
    moment = datetime(2026, 3, 4, 17, 30, tzinfo=UTC)
    window = Window.of(moment, 24)
    assert (window.since, window.until) == (DAY, DAY + timedelta(days=1))
    assert window.name == "20260304T0000Z-24h"
    assert Window.named(window.name) == window
    assert Window.of(moment, 6).since.hour == 12
    with pytest.raises(ValueError, match="does not match"):
        Window.named("report")


def test_a_window_is_due_once(
    write: Callable[..., Path], folder: Path, parameters: MonitoringParameters
) -> None:
    write(entries(drawn(30, 2), DAY))
    index = index_log(folder, NOTHING)
    (window,) = due_windows(index, {}, parameters)
    assert window == Window(DAY, 24)
    assert sum(index.segments(window).values()) == 30
    assert due_windows(index, {window.name: record(index, window)}, parameters) == []


def test_one_that_could_not_be_computed_is_due_again(
    write: Callable[..., Path], folder: Path, parameters: MonitoringParameters
) -> None:
    write(entries(drawn(30, 2), DAY))
    index = index_log(folder, NOTHING)
    window = Window(DAY, 24)
    failed = {window.name: record(index, window, computed=False)}
    assert due_windows(index, failed, parameters) == [window]


def test_a_late_segment_makes_its_window_due_again(
    write: Callable[..., Path], folder: Path, parameters: MonitoringParameters
) -> None:
    write(entries(drawn(30, 2), DAY))
    first = index_log(folder, NOTHING)
    window = Window(DAY, 24)
    done = {window.name: record(first, window)}
    write(entries(drawn(5, 3), DAY, start=40_000))
    second = index_log(folder, LogIndex.from_json(first.as_json(), 24))
    assert due_windows(second, done, parameters) == [window]
    assert sum(second.segments(window).values()) == 35


def test_segments_that_have_not_grown_are_not_read_again(
    write: Callable[..., Path], folder: Path
) -> None:
    path = write(entries(drawn(30, 2), DAY))
    first = index_log(folder, NOTHING)
    content = path.read_bytes()
    path.write_bytes(b"x" * len(content))
    assert index_log(folder, first).counts == first.counts


def test_a_segment_that_was_removed_by_age_leaves_its_window_done(
    write: Callable[..., Path], folder: Path, parameters: MonitoringParameters
) -> None:
    path = write(entries(drawn(30, 2), DAY))
    first = index_log(folder, NOTHING)
    window = Window(DAY, 24)
    done = {window.name: record(first, window)}
    path.unlink()
    index = index_log(folder, first)
    assert due_windows(index, done, parameters) == []
    # Here nobody noted its removal, and that is told.
    (fault,) = index.faults[path.name]
    assert "the segment is missing" in fault


def test_a_changed_line_is_a_fault_that_stays(
    write: Callable[..., Path], folder: Path
) -> None:
    path = write(entries(drawn(30, 2), DAY))
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"band":"B"', b'"band":"A"', 1))
    first = index_log(folder, NOTHING)
    assert "altered" in first.faults[path.name][0]
    assert index_log(folder, first).faults == first.faults


def test_windows_of_another_length_are_counted_anew(
    write: Callable[..., Path], folder: Path
) -> None:
    write(entries(drawn(30, 2), DAY))
    kept = index_log(folder, NOTHING).as_json()
    assert LogIndex.from_json(kept, 6) == LogIndex(6, {}, {}, {})
    assert LogIndex.from_json({}, 24) == NOTHING


def test_only_windows_that_are_over_and_asked_for_are_due(
    write: Callable[..., Path], folder: Path, parameters: MonitoringParameters
) -> None:
    for days in range(3):
        write(entries(drawn(10, days), DAY + timedelta(days=days)))
    index = index_log(folder, NOTHING)

    def due(**changes: Any) -> list[int]:
        asked = parameters.model_copy(update=changes)
        return [(w.since - DAY).days for w in due_windows(index, {}, asked)]

    assert due() == [0]
    assert due(as_of=DAY + timedelta(days=2, minutes=59)) == [0]
    assert due(as_of=DAY + timedelta(days=2, minutes=60)) == [0, 1]
    assert due(as_of=DAY + timedelta(days=9)) == [0, 1, 2, 7]
    assert due(as_of=DAY + timedelta(days=9), since=DAY + timedelta(days=2)) == [2, 7]


def test_a_decision_is_counted_in_the_window_of_its_time(
    write: Callable[..., Path], folder: Path, source: Source
) -> None:
    """Also where its segment was begun on another day, as just after midnight."""
    late = entries(drawn(2, 5), DAY + timedelta(hours=23, minutes=59, seconds=59))
    write([*late])
    index = index_log(folder, NOTHING)
    first, second = Window(DAY, 24), Window(DAY + timedelta(days=1), 24)
    assert sum(index.segments(first).values()) == 1
    assert sum(index.segments(second).values()) == 1
    assert count_window(folder, second, index, source).decisions == 1


def test_a_log_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DecisionLogError, match="cannot be read"):
        index_log(tmp_path / "nowhere", NOTHING)
