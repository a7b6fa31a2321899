import io
import sys
import time

import pytest
from rich.console import Console
from rich.progress import Progress

from credit_scoring.run_progress import RunningLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def wait_for_text(stream: io.StringIO) -> str:
    until = time.monotonic() + 10
    while not stream.getvalue() and time.monotonic() < until:
        time.sleep(0.01)
    return stream.getvalue()


def test_what_takes_long_is_shown_and_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    line = RunningLine(delay_s=0.01)
    line.start("packaging: pack release")
    assert "packaging: pack release ... 0 s" in wait_for_text(terminal)
    line.stop()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_what_is_quick_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    line = RunningLine()
    line.start("a")
    line.start("b")
    line.stop()
    line.stop()
    assert terminal.getvalue() == ""


def test_nothing_is_shown_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    line = RunningLine(delay_s=0.0)
    line.start("a")
    time.sleep(0.05)
    line.stop()
    assert stream.getvalue() == ""


def test_nothing_is_shown_beside_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    line = RunningLine(delay_s=0.01)
    with Progress(console=Console(file=terminal, force_terminal=True)) as bar:
        bar.add_task("Scoring", total=2)
        line.start("batch scoring: score files")
        time.sleep(0.7)
        line.stop()
    assert "Scoring" in terminal.getvalue()
    assert "score files" not in terminal.getvalue()
