"""What the challenger would have decided stands beside the decisions, and apart."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from credit_scoring.decision_log.chain import link_of
from credit_scoring.decision_log.files import AppendOnlyFile
from credit_scoring.decision_log.reader import (
    read_decisions,
    read_shadows,
    verify_log,
)
from credit_scoring.decision_log.records import DecisionEntry, ShadowEntry, encode
from credit_scoring.decision_log.writer import DecisionLog
from credit_scoring.errors import DecisionLogError

from .conftest import START

Open = Callable[..., DecisionLog]
Entry = Callable[..., DecisionEntry]
Shadow = Callable[..., ShadowEntry]


def test_each_is_read_as_what_it_is(
    log: DecisionLog, folder: Path, entry: Entry, shadow: Shadow
) -> None:
    log.append([entry(1), entry(2)])
    log.append_shadows([shadow(1), shadow(2)])
    log.append([entry(3)])
    log.close()
    decisions = [one.entry.decision_id for one in read_decisions(folder)]
    assert decisions == [entry(n).decision_id for n in (1, 2, 3)]
    shadows = list(read_shadows(folder))
    assert [one.entry for one in shadows] == [shadow(1), shadow(2)]
    assert [one.line for one in shadows] == [4, 5]
    report = verify_log(folder)
    assert report.faults == ()
    assert (report.records, report.decisions, report.shadows) == (5, 3, 2)


def test_a_line_says_that_it_is_in_the_shadow(shadow: Shadow) -> None:
    line: dict[str, Any] = msgspec.json.decode(encode(shadow(7)))
    assert line["kind"] == "shadow"
    assert line["decision_id"] == f"{7:032x}"
    assert line["model"]["digest"] == "e" * 64
    assert line["margin"] == 0.1 + 0.2


def test_they_are_read_of_the_time_of_their_decisions(
    log: DecisionLog, folder: Path, entry: Entry, shadow: Shadow
) -> None:
    for number in range(4):
        log.append([entry(number)])
        log.append_shadows([shadow(number)])
    window = {"since": START + timedelta(seconds=1), "until": START + timedelta(0, 3)}
    decisions = [one.entry.decision_id for one in read_decisions(folder, **window)]
    shadows = [one.entry.decision_id for one in read_shadows(folder, **window)]
    assert decisions == shadows == [entry(1).decision_id, entry(2).decision_id]


def test_one_that_is_altered_or_removed_is_found(
    log: DecisionLog, folder: Path, entry: Entry, shadow: Shadow
) -> None:
    log.append([entry(1)])
    log.append_shadows([shadow(1)])
    log.close()
    (segment,) = folder.glob("2*")
    genuine = segment.read_bytes()
    segment.write_bytes(genuine.replace(b"470.5", b"570.5"))
    (fault, *_) = verify_log(folder).faults
    assert (fault.line, fault.problem[:7]) == (3, "altered")
    lines = genuine.splitlines(keepends=True)
    segment.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    assert verify_log(folder).faults


def test_the_end_of_a_killed_process_counts_them(
    open_log: Open, folder: Path, entry: Entry, shadow: Shadow
) -> None:
    killed = open_log()
    killed.append([entry(1)])
    killed.append_shadows([shadow(1)])
    killed.forget_segment()  # which leaves it as a kill does
    open_log().append([entry(2)])
    report = verify_log(folder)
    assert report.faults == ()
    assert [(s.state, s.records) for s in report.segments] == [
        ("ended", 2),
        ("open", 1),
    ]


def test_they_begin_no_segment(
    log: DecisionLog, folder: Path, entry: Entry, shadow: Shadow
) -> None:
    with pytest.raises(DecisionLogError, match="no segment of the decision log is"):
        log.append_shadows([shadow(1)])
    assert not folder.exists()
    log.append([entry(1)])
    log.close()
    with pytest.raises(DecisionLogError, match="no segment of the decision log is"):
        log.append_shadows([shadow(1)])
    assert [s.state for s in verify_log(folder).segments] == ["closed"]


def test_without_room_for_them_decisions_go_on(
    log: DecisionLog,
    folder: Path,
    entry: Entry,
    shadow: Shadow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log.append([entry(1)])

    def no_room(file: AppendOnlyFile, block: bytes, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(AppendOnlyFile, "append", no_room)
        with pytest.raises(DecisionLogError, match="No space left on device"):
            log.append_shadows([shadow(1)])
    log.append([entry(2)])
    report = verify_log(folder)
    assert (report.decisions, report.shadows, report.faults) == (2, 0, ())


def test_they_wait_for_no_disk(
    open_log: Open,
    entry: Entry,
    shadow: Shadow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = open_log(fsync=True)
    log.append([entry(1)])
    waits: list[int] = []
    monkeypatch.setattr("os.fsync", waits.append)
    log.append_shadows([shadow(1)])
    assert not waits
    log.append([entry(2)])
    assert len(waits) == 1


def test_the_chain_runs_through_both(
    log: DecisionLog, folder: Path, entry: Entry, shadow: Shadow
) -> None:
    log.append([entry(1)])
    log.append_shadows([shadow(1)])
    log.append([entry(2)])
    (segment,) = folder.glob("2*")
    links = [link_of(line) for line in segment.read_bytes().splitlines(keepends=True)]
    assert [link.sequence for link in links if link] == [0, 1, 2, 3]
    for before, after in itertools.pairwise(links):
        assert before is not None
        assert after is not None
        assert after.previous == before.stated
