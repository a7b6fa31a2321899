"""Each `python -m credit_scoring.X` says what it does, and what it refuses."""

import argparse
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.command_line import command_parser, number_between, whole_number

SOURCE = Path(__file__).parents[1] / "src"
# Started by another module, with words that nobody types.
STARTED_BY_CODE = {
    "credit_scoring.registry.scoring",
    "credit_scoring.replay.again",
    "credit_scoring.serving.local_redis",
}
# A misuse of each that people start.
MISUSE = {
    "credit_scoring": "--no-such-option",
    "credit_scoring.benchmark_data": "--rows 0 --output out",
    "credit_scoring.contract.dictionary": "",
    "credit_scoring.contract_proposal": "loans.csv",
    "credit_scoring.decision_log": "one two",
    "credit_scoring.demo": "now",
    "credit_scoring.rollback": "",
    "credit_scoring.routing_state": "--to nobody",
    "credit_scoring.serve": "--port",
    "credit_scoring.serving.kernels": "",
    "credit_scoring.serving.openapi_page": "",
    "credit_scoring.simulation": "--window 499",
}


def entries() -> set[str]:
    """Name all modules that can be started."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        if '\nif __name__ == "__main__":' in path.read_text(encoding="utf-8"):
            name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
            found.add(name.removesuffix(".__main__"))
    return found


@pytest.fixture
def start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str], tuple[int, str, str]]:
    """Start a module as `python -m` does; give exit code, output and errors."""

    def started(module: str, words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["python -m", *words.split()])
        # One that is loaded already would be warned about.
        for loaded in (module, f"{module}.__main__"):
            if loaded != "credit_scoring":
                monkeypatch.delitem(sys.modules, loaded, raising=False)
        monkeypatch.setattr("credit_scoring.startup.prepare", lambda: None)
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        said = capsys.readouterr()
        return int(str(ended.value.code or 0)), said.out, said.err

    return started


def test_each_that_can_be_started_is_looked_at() -> None:
    assert entries() == set(MISUSE) | STARTED_BY_CODE


@pytest.mark.parametrize("module", MISUSE)
def test_help_says_what_it_does_with_options_and_an_example(
    module: str, start: Callable[[str, str], tuple[int, str, str]]
) -> None:
    code, help_text, errors = start(module, "--help")
    assert (code, errors) == (0, "")
    assert "exit code" in " ".join(help_text.split())
    assert re.search(rf"(?i)examples?:\n +python -m {re.escape(module)}\b", help_text)
    # Kedro's own options are Kedro's to explain.
    if module != "credit_scoring":
        options = help_text.split("options:\n")[1].split("\nexample:")[0]
        named = re.findall(r"^  -.*(?:\n {4,}.*)*", options, re.M)
        assert named
        assert [one for one in named if not re.search(r" {2,}\S+", one.strip())] == []


@pytest.mark.parametrize("module", MISUSE)
def test_misuse_is_told_on_standard_error_with_exit_code_2(
    module: str, start: Callable[[str, str], tuple[int, str, str]]
) -> None:
    code, output, errors = start(module, MISUSE[module])
    assert (code, output) == (2, "")
    assert errors.lower().startswith("usage: ")
    assert "error: " in errors.lower()
    assert "Traceback" not in errors


def option(kind: Callable[[str], Any], text: str) -> Any:
    parser = command_parser("x", does="Does.", example="--a 1")
    parser.add_argument("--a", type=kind)
    return parser.parse_args([f"--a={text}"]).a


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "many"])
def test_a_whole_number_is_asked_for(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert option(whole_number(1), "7") == 7
    with pytest.raises(SystemExit, match="2"):
        option(whole_number(1), text)
    said = capsys.readouterr().err
    assert f"must be a whole number of at least 1, not '{text}'" in said


@pytest.mark.parametrize("text", ["0", "1", "nan", "-inf", "some"])
def test_a_number_between_two_is_asked_for(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert option(number_between(0, 1), "0.25") == 0.25
    with pytest.raises(SystemExit, match="2"):
        option(number_between(0, 1), text)
    said = capsys.readouterr().err
    assert f"must be a number between 0 and 1, not '{text}'" in said


def test_lines_of_what_it_does_are_filled_and_its_example_is_not() -> None:
    parser = command_parser("x", does="Word. " * 40, example="--a \\\n    --b")
    assert isinstance(parser, argparse.ArgumentParser)
    lines = parser.format_help().splitlines()
    assert max(map(len, lines)) <= 79
    assert lines[-2:] == ["  python -m credit_scoring.x --a \\", "    --b"]
