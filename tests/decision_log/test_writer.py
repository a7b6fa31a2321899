"""What was appended is in the log, whatever happens around it."""

import errno
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.decision_log.index import INDEX_NAME
from credit_scoring.decision_log.reader import read_decisions, verify_log
from credit_scoring.decision_log.records import DecisionEntry
from credit_scoring.decision_log.writer import DecisionLog
from credit_scoring.errors import DecisionLogError

Open = Callable[..., DecisionLog]
Entry = Callable[..., DecisionEntry]
Segments = Callable[[], list[Path]]


def numbers(folder: Path) -> list[int]:
    return [int(one.entry.decision_id, 16) for one in read_decisions(folder)]


def test_nothing_is_written_before_the_first_decision(
    log: DecisionLog, folder: Path
) -> None:
    log.close()
    assert not folder.exists()
    assert log.segment_bytes == 0


def test_decisions_are_read_as_they_were_appended(
    log: DecisionLog, folder: Path, entry: Entry, segments: Segments
) -> None:
    entries = [entry(n, features=[float(n), None]) for n in range(5)]
    written = log.append(entries[:1])
    log.append(entries[1:])
    assert written > 500
    assert [one.entry for one in read_decisions(folder)] == entries
    assert log.segment_bytes == segments()[0].stat().st_size


def test_a_closed_segment_says_what_it_holds(
    log: DecisionLog, folder: Path, entry: Entry
) -> None:
    log.append([entry(1), entry(2)])
    log.close()
    (report,) = verify_log(folder).segments
    assert (report.state, report.records, report.torn_bytes) == ("closed", 2, 0)


def test_after_closing_another_segment_is_begun(
    log: DecisionLog, folder: Path, entry: Entry, segments: Segments
) -> None:
    log.append([entry(1)])
    log.close()
    log.append([entry(2)])
    log.close()
    log.close()
    assert len(segments()) == 2
    assert numbers(folder) == [1, 2]
    assert not verify_log(folder).faults


def test_with_fsync_the_disk_has_each_block_and_each_file(
    open_log: Open, folder: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(os.path.realpath(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    log = open_log(fsync=True)
    log.append([entry(1), entry(2)])
    (segment,) = folder.glob("2*")
    assert synced == [
        str(segment),
        str(folder),
        str(folder / INDEX_NAME),
        str(segment),
    ]


def test_a_full_segment_is_followed_by_another(
    open_log: Open, folder: Path, entry: Entry, segments: Segments
) -> None:
    log = open_log(segment_bytes=4096)
    for number in range(20):
        log.append([entry(number)])
    log.close()
    assert len(segments()) > 3
    assert all(path.stat().st_size < 6000 for path in segments())
    assert numbers(folder) == list(range(20))
    assert not verify_log(folder).faults


def test_a_day_has_segments_of_its_own(
    log: DecisionLog, folder: Path, entry: Entry, clock: Any, segments: Segments
) -> None:
    log.append([entry(1)])
    clock.now += timedelta(hours=11, minutes=59)
    log.append([entry(2)])
    assert len(segments()) == 1
    clock.now += timedelta(minutes=1)
    log.append([entry(3)])
    assert [path.name[:8] for path in segments()] == ["20260304", "20260305"]
    assert numbers(folder) == [1, 2, 3]


def test_the_next_start_notes_the_end_of_a_killed_process(
    open_log: Open, folder: Path, entry: Entry, segments: Segments
) -> None:
    killed = open_log()
    killed.append([entry(1), entry(2)])
    kill(killed)
    with segments()[0].open("ab") as file:
        file.write(b'{"sequence":3,"prev')
    assert [s.state for s in verify_log(folder).segments] == ["unended"]

    log = open_log()
    log.append([entry(3)])
    report = verify_log(folder)
    assert report.faults == ()
    assert [s.state for s in report.segments] == ["ended", "open"]
    assert report.torn == (report.segments[0],)
    assert report.torn[0].torn_bytes == 19
    assert numbers(folder) == [1, 2, 3]


def test_the_end_of_a_process_killed_after_the_footer_is_noted(
    open_log: Open, folder: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = open_log()
    killed.append([entry(1)])
    with monkeypatch.context() as patch:
        patch.setattr(
            "credit_scoring.decision_log.index.Index.add",
            lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")),
        )
        killed.close()
    log = open_log()
    log.append([entry(2)])
    log.close()
    report = verify_log(folder)
    assert report.faults == ()
    assert [s.state for s in report.segments] == ["closed", "closed"]


def test_a_process_that_lives_is_left_alone(
    open_log: Open, folder: Path, entry: Entry
) -> None:
    one, other = open_log(), open_log()
    one.append([entry(1)])
    other.append([entry(2)])
    one.append([entry(3)])
    assert [s.state for s in verify_log(folder).segments] == ["open", "open"]
    one.close()
    other.close()
    assert numbers(folder) == [1, 2, 3]
    assert not verify_log(folder).faults


def test_threads_share_a_log(
    open_log: Open, folder: Path, entry: Entry, segments: Segments
) -> None:
    log = open_log(segment_bytes=64 * 1024)

    def write(start: int) -> None:
        for number in range(start, start + 100, 2):
            log.append([entry(number), entry(number + 1)])

    threads = [threading.Thread(target=write, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert len(segments()) > 1
    assert not verify_log(folder).faults
    assert sorted(numbers(folder)) == list(range(400))


def test_a_forked_process_writes_a_segment_of_its_own(
    log: DecisionLog, folder: Path, entry: Entry, segments: Segments
) -> None:
    log.append([entry(1)])
    with warnings.catch_warnings():
        # Other tests may have left threads, which the child does not need.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            log.append([entry(2)])
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    log.append([entry(3)])
    assert len(segments()) == 2
    assert numbers(folder) == [1, 2, 3]
    assert not verify_log(folder).faults


PROCESS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import ORIGIN, an_entry
from credit_scoring.decision_log.writer import DecisionLog, LogParameters
log = DecisionLog(Path(sys.argv[2]), ORIGIN, LogParameters(segment_bytes=8192))
start = int(sys.argv[3])
for number in range(start, start + 200):
    log.append([an_entry(number)])
if start:
    log.close()
"""


def test_processes_share_a_folder(folder: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, Path(__file__).parent, folder, str(start)]
        )
        for start in (0, 1000, 2000, 3000)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    report = verify_log(folder)
    assert report.faults == ()
    assert report.records == 800
    assert len(report.segments) > 40
    assert {s.state for s in report.segments} <= {"closed", "ended", "unended"}


class Disk:
    """Refuses what it is told to refuse."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.error = 0
        self.refused = 0
        write = os.write

        def write_or_refuse(descriptor: int, data: bytes) -> int:
            if self.error:
                self.refused += 1
                raise OSError(self.error, os.strerror(self.error))
            return write(descriptor, data)

        patch.setattr(os, "write", write_or_refuse)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_refuses_until_there_is_room(  # noqa: PLR0913, PLR0917
    log: DecisionLog,
    folder: Path,
    entry: Entry,
    disk: Disk,
    segments: Segments,
    error: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    log.append([entry(1)])
    disk.error = error
    for number in (2, 3):
        with pytest.raises(DecisionLogError, match=os.strerror(error)):
            log.append([entry(number)])
    disk.error = 0
    log.append([entry(4)])
    assert numbers(folder) == [1, 4]
    assert len(segments()) == 1
    assert not verify_log(folder).faults
    said = [r.message for r in caplog.records if r.levelname in ("ERROR", "WARNING")]
    assert len(said) == 2
    assert "refused until it can be" in said[0]
    assert "2 decisions were refused" in said[1]


def test_after_an_io_error_another_segment_takes_the_decision(
    log: DecisionLog,
    folder: Path,
    entry: Entry,
    segments: Segments,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log.append([entry(1)])
    write = os.write
    failures = [1]

    def fail_once(descriptor: int, data: bytes) -> int:
        if failures:
            failures.pop()
            write(descriptor, data[:100])
            raise OSError(errno.EIO, "Input/output error")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", fail_once)
    log.append([entry(2)])
    assert len(segments()) == 2
    assert numbers(folder) == [1, 2]
    assert not verify_log(folder).faults


def test_a_disk_that_is_full_at_the_start_refuses_and_leaves_no_file(
    log: DecisionLog, folder: Path, entry: Entry, disk: Disk, segments: Segments
) -> None:
    disk.error = errno.ENOSPC
    for number in range(50):
        with pytest.raises(DecisionLogError, match="No space left"):
            log.append([entry(number)])
    assert segments() == []
    assert disk.refused < 10
    disk.error = 0
    time.sleep(0.3)
    log.append([entry(50)])
    assert numbers(folder) == [50]
    assert not verify_log(folder).faults


def test_a_footer_that_finds_no_room_is_not_needed(
    log: DecisionLog, folder: Path, entry: Entry, clock: Any, disk: Disk
) -> None:
    log.append([entry(1)])
    clock.now += timedelta(days=1)
    disk.error = errno.ENOSPC
    with pytest.raises(DecisionLogError, match="No space left"):
        log.append([entry(2)])
    disk.error = 0
    time.sleep(0.3)
    log.append([entry(3)])
    report = verify_log(folder)
    assert report.faults == ()
    assert [s.state for s in report.segments] == ["ended", "open"]


def test_an_index_that_finds_no_room_refuses_and_leaves_no_file(
    log: DecisionLog,
    folder: Path,
    entry: Entry,
    segments: Segments,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = os.write

    def refuse_small(descriptor: int, data: bytes) -> int:
        if len(data) < 400:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse_small)
        with pytest.raises(DecisionLogError, match="No space left"):
            log.append([entry(1)])
    assert segments() == []
    time.sleep(0.3)
    log.append([entry(2)])
    assert not verify_log(folder).faults


def test_a_folder_that_vanishes_refuses_until_it_is_back(
    log: DecisionLog, folder: Path, entry: Entry, clock: Any
) -> None:
    log.append([entry(1)])
    away = folder.with_name("away")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    clock.now += timedelta(seconds=1)
    with pytest.raises(DecisionLogError, match="No such file"):
        log.append([entry(2)])
    assert not away.exists()
    assert not folder.exists()
    folder.mkdir()
    time.sleep(0.3)
    log.append([entry(3)])
    assert numbers(folder) == [3]


def test_a_deleted_segment_is_followed_by_another(
    log: DecisionLog, folder: Path, entry: Entry, clock: Any, segments: Segments
) -> None:
    log.append([entry(1)])
    (first,) = segments()
    first.unlink()
    clock.now += timedelta(seconds=1)
    log.append([entry(2)])
    assert numbers(folder) == [2]
    (fault,) = verify_log(folder).faults
    assert str(fault).startswith(f"{first.name}: the segment is missing")


def test_a_folder_that_may_not_be_written_refuses(
    log: DecisionLog, folder: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **others: Any) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DecisionLogError, match="Permission denied"):
        log.append([entry(1)])


def test_a_file_in_the_folders_place_refuses(
    log: DecisionLog, folder: Path, entry: Entry
) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("", encoding="utf-8")
    with pytest.raises(DecisionLogError, match="File exists"):
        log.append([entry(1)])


def test_an_index_that_somebody_holds_refuses(
    log: DecisionLog, folder: Path, entry: Entry
) -> None:
    from credit_scoring.decision_log.index import locked_index

    folder.mkdir(parents=True)
    with (
        locked_index(folder, fsync=False),
        pytest.raises(DecisionLogError, match="temporarily unavailable"),
    ):
        log.append([entry(1)])


def test_a_torn_index_is_mended(
    open_log: Open, folder: Path, entry: Entry, caplog: pytest.LogCaptureFixture
) -> None:
    log = open_log()
    log.append([entry(1)])
    log.close()
    with (folder / INDEX_NAME).open("ab") as file:
        file.write(b'{"sequence":2,"pre')
    open_log().append([entry(2)])
    assert "torn last line" in caplog.text
    assert not verify_log(folder).faults


@pytest.mark.parametrize("harm", [b"nonsense\n", b'{"sequence":9}\n'])
def test_an_altered_index_stops_nobody_and_is_found(
    open_log: Open,
    folder: Path,
    entry: Entry,
    caplog: pytest.LogCaptureFixture,
    harm: bytes,
) -> None:
    log = open_log()
    log.append([entry(1)])
    log.close()
    with (folder / INDEX_NAME).open("ab") as file:
        file.write(harm)
    open_log().append([entry(2)])
    assert "line 3: not a line of an index" in caplog.text
    assert [str(f) for f in verify_log(folder).faults] == [
        "index.jsonl, line 3: not a line of the decision log"
    ]


def test_a_segment_whose_end_cannot_be_read_is_named(
    open_log: Open,
    entry: Entry,
    segments: Segments,
    caplog: pytest.LogCaptureFixture,
) -> None:
    killed = open_log()
    killed.append([entry(1)])
    kill(killed)
    (path,) = segments()
    path.write_bytes(path.read_bytes()[:-3] + b"#}\n")
    open_log().append([entry(2)])
    assert f"segment {path.name}: its end cannot be read" in caplog.text


def test_an_empty_segment_of_a_killed_process_has_an_end(
    open_log: Open, folder: Path, entry: Entry, segments: Segments
) -> None:
    killed = open_log()
    killed.append([entry(1)])
    kill(killed)
    (path,) = segments()
    path.write_bytes(b"")
    open_log().append([entry(2)])
    assert [s.records for s in verify_log(folder).segments] == [0, 1]


def test_the_end_is_found_behind_a_long_torn_line(
    open_log: Open, folder: Path, entry: Entry, segments: Segments
) -> None:
    killed = open_log()
    killed.append([entry(1)])
    kill(killed)
    with segments()[0].open("ab") as file:
        file.write(b"x" * 200_000)
    open_log().append([entry(2)])
    report = verify_log(folder)
    assert not report.faults
    assert report.torn[0].torn_bytes == 200_000


def test_messages_hold_no_applicant(
    log: DecisionLog, entry: Entry, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    log.append([entry(1, loan_id="secret-applicant")])
    disk.error = errno.ENOSPC
    with pytest.raises(DecisionLogError) as raised:
        log.append([entry(2, loan_id="secret-applicant")])
    assert "secret" not in str(raised.value)
    assert "secret" not in caplog.text


def kill(log: DecisionLog) -> None:
    """Take the segment's lock from it, as the end of its process does."""
    assert log._segment is not None
    log._segment.close()
