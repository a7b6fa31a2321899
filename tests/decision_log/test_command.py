"""The command that an auditor runs."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from credit_scoring.decision_log.__main__ import main
from credit_scoring.decision_log.records import DecisionEntry, ShadowEntry
from credit_scoring.decision_log.writer import DecisionLog


@pytest.fixture
def segment(
    log: DecisionLog, folder: Path, entry: Callable[..., DecisionEntry]
) -> Path:
    log.append([entry(1), entry(2)])
    log.close()
    return next(folder.glob("2*"))


def test_an_intact_log_is_told(
    segment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(segment.parent)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.split() == [segment.name, "closed", "2", "decisions"]
    assert last.startswith("2 decisions in 1 segment, 0 faults; head of the index ")


def test_those_in_the_shadow_are_told_apart(
    log: DecisionLog,
    folder: Path,
    entry: Callable[..., DecisionEntry],
    shadow: Callable[..., ShadowEntry],
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.append([entry(1), entry(2)])
    log.append_shadows([shadow(1)])
    log.close()
    assert main([str(folder)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.endswith("closed          2 decisions, 1 in the shadow")
    assert last.startswith("2 decisions and 1 in the shadow in 1 segment, 0 faults")


def test_each_fault_is_told(segment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    segment.write_bytes(segment.read_bytes().replace(b"501.5", b"601.5", 1) + b"{")
    assert main([str(segment.parent)]) == 1
    out = capsys.readouterr().out
    assert f"FAULT {segment.name}, line 2: altered" in out
    assert "1 torn bytes" in out


def test_no_log_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_it_says_how_it_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["decision_log"])
    monkeypatch.delitem(sys.modules, "credit_scoring.decision_log.__main__")
    with pytest.raises(SystemExit, match="2"):
        runpy.run_module("credit_scoring.decision_log", run_name="__main__")
    assert "usage" in capsys.readouterr().err
