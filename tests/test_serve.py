"""What `make serve` serves when several checkouts share BentoML's store."""

import importlib
import json
import os
import sys
from pathlib import Path

import pytest
from bentoml.exceptions import NotFound

from credit_scoring import serve
from credit_scoring.serve import ServeError, choose_bento


class Stored:
    """A Bento of the store."""

    def __init__(self, tag: str) -> None:
        self.tag = tag


def fill_store(monkeypatch: pytest.MonkeyPatch, *versions: str) -> None:
    """Let BentoML's store hold these versions, the newest last."""

    def get(tag: str) -> Stored:
        version = tag.partition(":")[2]
        if version == "latest" and versions:
            return Stored(f"credit_scoring:{versions[-1]}")
        if version in versions:
            return Stored(tag)
        raise NotFound(tag)

    # BentoML puts another module in place of the lazy one at the first use.
    store = importlib.import_module("bentoml.bentos")
    monkeypatch.setattr(store, "get", get)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    file = tmp_path / "current.json"
    file.write_text(json.dumps({"bento": "credit_scoring:ours"}))
    return file


def test_the_bento_made_here_is_served_though_another_is_newer(
    release: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_store(monkeypatch, "ours", "theirs")
    assert choose_bento(release) == "credit_scoring:ours"
    assert capsys.readouterr().err == ""


def test_before_the_first_run_here_the_newest_is_served_and_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill_store(monkeypatch, "theirs")
    assert choose_bento(tmp_path / "none.json") == "credit_scoring:theirs"
    assert "serving the newest, credit_scoring:theirs" in capsys.readouterr().err


def test_a_bento_that_was_deleted_is_told(
    release: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_store(monkeypatch, "theirs")
    assert choose_bento(release) == "credit_scoring:theirs"
    assert "credit_scoring:ours is not in BentoML's store" in capsys.readouterr().err


def test_an_empty_store_is_refused_with_what_to_do(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_store(monkeypatch)
    with pytest.raises(ServeError, match="run `kedro run` first"):
        choose_bento(release)


def test_an_empty_store_ends_with_a_failure_and_no_traceback(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    fill_store(monkeypatch)
    assert serve.main([]) == 1
    assert "run `kedro run` first" in capsys.readouterr().err


def test_the_process_becomes_bentoml_with_the_options(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Replaced(Exception):
        """In place of the new program."""

    def execv(path: str, command: list[str]) -> None:
        raise Replaced(path, *command)

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setattr(serve, "RELEASE", release)
    monkeypatch.setenv("CREDIT_SCORING_REDIS_URL", "redis://elsewhere")
    fill_store(monkeypatch, "ours")
    with pytest.raises(Replaced) as replaced:
        serve.main(["--port", "1"])
    python, *command = replaced.value.args
    assert python == sys.executable
    serving = ["-m", "bentoml", "serve", "credit_scoring:ours", "--port", "1"]
    assert command == [sys.executable, *serving]
