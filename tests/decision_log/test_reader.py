"""Whatever is changed in a log is found, and its place is named."""

import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit_scoring.decision_log.chain import GENESIS, chained, link_of
from credit_scoring.decision_log.index import INDEX_NAME
from credit_scoring.decision_log.reader import (
    LogReport,
    read_decisions,
    verify_log,
)
from credit_scoring.decision_log.records import DecisionEntry
from credit_scoring.decision_log.writer import DecisionLog
from credit_scoring.errors import DecisionLogError

Open = Callable[..., DecisionLog]
Entry = Callable[..., DecisionEntry]
Files = dict[str, bytes]

RECORDS = 6


@pytest.fixture
def files(open_log: Open, folder: Path, entry: Entry) -> Files:
    """A closed segment of six decisions, and the index, by name."""
    log = open_log()
    for number in range(RECORDS):
        log.append([entry(number)])
    log.close()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# The properties change a copy in each of their examples.
shared = settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def segment_of(files: Files) -> str:
    return next(name for name in files if name != INDEX_NAME)


def verify(files: Files) -> LogReport:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        return verify_log(Path(folder))


def with_lines(files: Files, name: str, lines: list[bytes]) -> Files:
    return {**files, name: b"".join(lines)}


def lines_of(files: Files, name: str) -> list[bytes]:
    return files[name].splitlines(keepends=True)


def test_an_unchanged_log_has_no_fault(files: Files) -> None:
    report = verify(files)
    assert report.faults == ()
    assert report.records == RECORDS
    assert len(report.head) == 64


@given(data=st.data())
@shared
def test_any_altered_byte_is_found(files: Files, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(files)))
    place = data.draw(st.integers(0, len(files[name]) - 1))
    change = data.draw(st.integers(1, 255))
    altered = bytearray(files[name])
    altered[place] ^= change
    faults = verify({**files, name: bytes(altered)}).faults
    line = files[name][:place].count(b"\n") + 1
    assert faults
    assert faults[0].file == name
    assert faults[0].line in (line, None)


def test_an_altered_end_of_the_index_is_a_torn_line(files: Files) -> None:
    files[INDEX_NAME] = files[INDEX_NAME][:-1] + b" "
    report = verify(files)
    assert [str(fault) for fault in report.faults] == [
        "index.jsonl, line 2: torn, or its end was altered"
    ]


@given(data=st.data())
@shared
def test_any_removed_line_is_found(files: Files, data: st.DataObject) -> None:
    name = segment_of(files)
    lines = lines_of(files, name)
    place = data.draw(st.integers(0, len(lines) - 1))
    del lines[place]
    (first, *_) = verify(with_lines(files, name, lines)).faults
    assert first.line == (place + 1 if place < len(lines) else None)


@given(data=st.data())
@shared
def test_any_removed_lines_at_the_end_are_found(
    files: Files, data: st.DataObject
) -> None:
    name = segment_of(files)
    lines = lines_of(files, name)
    kept = data.draw(st.integers(0, len(lines) - 1))
    faults = verify(with_lines(files, name, lines[:kept])).faults
    assert "by the index after 6" in str(faults[-1])


@given(data=st.data())
@shared
def test_any_repeated_line_is_found(files: Files, data: st.DataObject) -> None:
    name = segment_of(files)
    lines = lines_of(files, name)
    source = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines)))
    lines.insert(place, lines[source])
    (first, *_) = verify(with_lines(files, name, lines)).faults
    # Repeated in place, the second of the two is named.
    assert first.line == (place + 1 if source != place else place + 2)


@given(data=st.data())
@shared
def test_any_swapped_lines_are_found(files: Files, data: st.DataObject) -> None:
    name = segment_of(files)
    lines = lines_of(files, name)
    one, other = data.draw(
        st.lists(
            st.integers(0, len(lines) - 1), min_size=2, max_size=2, unique=True
        ).map(sorted)
    )
    lines[one], lines[other] = lines[other], lines[one]
    (first, *_) = verify(with_lines(files, name, lines)).faults
    assert first.line == one + 1


@given(data=st.data(), text=st.binary(max_size=40))
@shared
def test_any_inserted_line_is_found(
    files: Files, data: st.DataObject, text: bytes
) -> None:
    name = segment_of(files)
    lines = lines_of(files, name)
    place = data.draw(st.integers(0, len(lines)))
    lines.insert(place, text.replace(b"\n", b" ") + b"\n")
    (first, *_) = verify(with_lines(files, name, lines)).faults
    assert first.line == place + 1


def test_a_line_inserted_with_the_right_hashes_is_found(files: Files) -> None:
    name = segment_of(files)
    lines = lines_of(files, name)
    made_up, _ = chained(3, lines[2][-67:-3], b'{"kind":"decision"}')
    lines.insert(3, made_up)
    faults = verify(with_lines(files, name, lines)).faults
    assert faults[0].line == 4
    assert "not a line of a segment" in str(faults[0])
    assert faults[1].line == 5


def test_a_chain_that_was_made_anew_is_found_by_the_index(files: Files) -> None:
    name = segment_of(files)
    previous, lines = GENESIS, []
    for number, line in enumerate(lines_of(files, name)):
        link = link_of(line)
        assert link is not None
        content = link.content.replace(b"L-3", b"L-9")
        forged, previous = chained(number, previous, content)
        lines.append(forged)
    faults = verify(with_lines(files, name, lines)).faults
    assert [fault.line for fault in faults] == [None]
    assert "by the index" in str(faults[0])


def test_a_removed_segment_is_found(files: Files) -> None:
    name = segment_of(files)
    (fault,) = verify({INDEX_NAME: files[INDEX_NAME]}).faults
    assert str(fault) == (
        f"{name}: the segment is missing, and the index has no removal of it"
    )


def test_of_segments_that_are_not_asked_for_only_the_index_is_looked_at(
    files: Files, folder: Path
) -> None:
    (name,) = set(files) - {INDEX_NAME}
    heard: list[Any] = []
    assert not verify_log(folder, heard=heard.append, among={name}).faults
    assert len(heard) == RECORDS
    (folder / name).write_bytes(b"altered\n")
    assert not verify_log(folder, heard=heard.append, among=set()).faults
    assert len(heard) == RECORDS
    (folder / name).unlink()
    (fault,) = verify_log(folder, among=set()).faults
    assert fault.file == name


def test_an_added_segment_is_found(files: Files) -> None:
    name = segment_of(files)
    other = name.replace("20260304", "20260305")
    faults = verify({**files, other: files[name]}).faults
    assert {str(fault) for fault in faults} == {
        f"{other}, line 1: the header is another segment's",
        f"{other}: the index has no such segment",
    }


def test_a_missing_index_is_found(files: Files) -> None:
    del files[INDEX_NAME]
    assert str(verify(files).faults[0]) == "index.jsonl: is missing"


def test_a_line_of_an_unknown_kind_in_the_index_is_found(files: Files) -> None:
    line, _ = chained(
        2, files[INDEX_NAME].splitlines()[-1][-66:-2], b'{"kind":"burnt"}'
    )
    files[INDEX_NAME] += line
    (fault,) = verify(files).faults
    assert str(fault) == "index.jsonl, line 3: not a line of an index"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"kind":"footer","records":6,"closed_at":"2026-03-04T12:00:00Z"}', "behind"),
        (b'{"kind":"cheque"}', "not a line of a segment"),
    ],
)
def test_a_line_behind_the_footer_is_found(
    files: Files, content: bytes, problem: str
) -> None:
    name = segment_of(files)
    lines = lines_of(files, name)
    lines.append(chained(8, lines[-1][-67:-3], content)[0])
    faults = verify(with_lines(files, name, lines)).faults
    assert faults[0].line == 9
    assert problem in str(faults[0])


def test_a_footer_that_counts_otherwise_is_found(files: Files) -> None:
    name = segment_of(files)
    lines = lines_of(files, name)
    content = b'{"kind":"footer","records":5,"closed_at":"2026-03-04T12:00:00Z"}'
    lines[-1] = chained(7, lines[-2][-67:-3], content)[0]
    faults = verify(with_lines(files, name, lines)).faults
    assert "the footer counts 5 decisions, 6 are there" in str(faults[0])


def test_another_format_is_found(files: Files) -> None:
    name = segment_of(files)
    lines = lines_of(files, name)
    lines[0] = lines[0].replace(b'"format":1', b'"format":2')
    assert "format 2 is not 1" in " ".join(
        str(fault) for fault in verify(with_lines(files, name, lines)).faults
    )


def test_a_torn_line_is_told_and_is_no_decision(
    log: DecisionLog, folder: Path, entry: Entry
) -> None:
    log.append([entry(1)])
    with next(folder.glob("2*")).open("ab") as file:
        file.write(b'{"sequence":2,"previous"')
    report = verify_log(folder)
    assert report.faults == ()
    assert [segment.torn_bytes for segment in report.torn] == [24]
    assert report.records == 1
    assert len(list(read_decisions(folder))) == 1


def test_an_empty_folder_has_no_fault(tmp_path: Path) -> None:
    assert verify_log(tmp_path) == LogReport((), (), GENESIS.decode())


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DecisionLogError, match="No such file"):
        verify_log(tmp_path / "none")
    with pytest.raises(DecisionLogError, match="No such file"):
        list(read_decisions(tmp_path / "none"))


def test_a_line_that_cannot_be_read_is_named(
    files: Files, folder: Path, entry: Entry
) -> None:
    path = folder / segment_of(files)
    path.write_bytes(files[path.name].replace(b'"kind":"decision"', b'"kind":"d"', 1))
    with pytest.raises(DecisionLogError, match=f"{path.name}, line 2: not a line"):
        list(read_decisions(folder))


def test_a_segment_without_a_header_is_named(files: Files, folder: Path) -> None:
    path = folder / segment_of(files)
    path.write_bytes(b"".join(lines_of(files, path.name)[1:]))
    with pytest.raises(DecisionLogError, match="begins without a header"):
        list(read_decisions(folder))


def test_decisions_of_several_workers_are_merged_by_time(
    open_log: Open, folder: Path, entry: Entry, clock: Any
) -> None:
    workers = [open_log(), open_log(), open_log()]
    start = clock.now
    for number in range(30):
        clock.now = start + timedelta(seconds=number)
        workers[number * 7 % 3].append([entry(number)])
    found = list(read_decisions(folder))
    assert [int(one.entry.decision_id, 16) for one in found] == list(range(30))
    assert len({one.segment for one in found}) == 3
    assert all(one.header.origin.inputs == ("amount", "days_late_1") for one in found)


def test_a_clock_that_was_set_back_does_not_change_the_order(
    log: DecisionLog, folder: Path, entry: Entry
) -> None:
    log.append([entry(1), entry(9), entry(2), entry(3)])
    numbers = [int(one.entry.decision_id, 16) for one in read_decisions(folder)]
    assert numbers == [1, 9, 2, 3]


def test_a_span_of_time_can_be_read(files: Files, folder: Path, entry: Entry) -> None:
    found = read_decisions(folder, since=entry(2).scored_at, until=entry(4).scored_at)
    assert [one.entry.loan_id for one in found] == ["L-2", "L-3"]


@pytest.mark.no_cover
def test_a_hundred_thousand_decisions_are_verified_in_seconds(
    open_log: Open, folder: Path, entry: Entry
) -> None:
    log = open_log()
    features = [0.1 * number for number in range(40)]
    together = [entry(number, features=features) for number in range(1000)]
    for _ in range(100):
        log.append(together)
    log.close()
    started = time.process_time()
    report = verify_log(folder)
    assert report.records == 100_000
    assert not report.faults
    assert time.process_time() - started < 10
    shutil.rmtree(folder)
