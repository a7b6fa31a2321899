"""What a run publishes is read as a whole, or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from credit_scoring.monitoring.publication import (
    FORMAT,
    SUMMARY,
    Finding,
    Summary,
    UnreadableSummaryError,
    read_report,
    read_summary,
    worst,
    write_summary,
    write_whole,
)

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)


def summary(**changed: object) -> Summary:
    whole = Summary(
        format=FORMAT,
        verdict="warn",
        computed_at=NOW,
        last_success_at=NOW,
        window_since=NOW,
        window_until=NOW,
        decisions=1000,
        findings=[Finding("score_drift", "warn", "PSI 0.12", 0.12)],
        figures={"score_psi": 0.12, "auc": None},
        report="day.html",
    )
    return msgspec.structs.replace(whole, **changed)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_summary(tmp_path, summary())
    assert read_summary(tmp_path) == summary()
    assert [path.name for path in tmp_path.iterdir()] == [SUMMARY]


def test_there_may_be_none(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSummaryError, match="no monitoring run"):
        read_summary(tmp_path)
    (tmp_path / SUMMARY).mkdir()
    with pytest.raises(UnreadableSummaryError, match="cannot be read"):
        read_summary(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        msgspec.json.encode(summary())[:-30],
        msgspec.json.encode(summary(verdict="splendid")),
        msgspec.json.encode(summary(format=2)),
        msgspec.json.encode(summary(report="../../etc/passwd")),
        msgspec.json.encode(summary(computed_at=NOW.replace(tzinfo=None))),
    ],
)
def test_a_file_that_is_not_as_it_must_be_is_not_believed(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / SUMMARY).write_bytes(content)
    with pytest.raises(UnreadableSummaryError, match="not as a monitoring run writes"):
        read_summary(tmp_path)


def test_a_file_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).write_bytes(b" " * (4 * 1024**2 + 1))
    with pytest.raises(UnreadableSummaryError, match="too large"):
        read_summary(tmp_path)


def test_a_report_is_found_by_its_name_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "reports" / "day.html", b"<p>fine</p>")
    (tmp_path / "secret.html").write_bytes(b"secret")
    assert read_report(tmp_path, "day.html") == b"<p>fine</p>"
    for name in ("../secret.html", "other.html", "day.htm", "", "/etc/passwd"):
        assert read_report(tmp_path, name) is None
    write_whole(tmp_path / "reports" / "day.html", b"")
    assert read_report(tmp_path, "day.html") is None


def test_what_could_not_be_judged_is_worse_than_what_is_well() -> None:
    assert worst([]) == "insufficient"
    assert worst(["ok", "insufficient"]) == "insufficient"
    assert worst(["warn", "insufficient", "ok"]) == "warn"
    assert worst(["warn", "alert"]) == "alert"
