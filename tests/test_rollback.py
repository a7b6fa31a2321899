"""`make rollback` as a command, on a project after a run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from credit_scoring import rollback


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Any]]:
    """What Kedro was started with: its words, and the file that they name."""
    seen: list[tuple[list[str], Any]] = []

    def run(command: list[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        assert not check
        path = Path(command[command.index("--config") + 1])
        seen.append((command, yaml.safe_load(path.read_text())))
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_a_reason_of_any_words_reaches_kedro(
    asked: list[tuple[list[str], Any]],
) -> None:
    why = 'declines rose, "60 %": so = back'
    assert rollback.main(["--why", why, "--version", "3", "--env", "test"]) == 3
    ((command, config),) = asked
    assert command[:4] == [sys.executable, "-m", "kedro", "run"]
    assert command[-2:] == ["--env", "test"]
    assert config["run"] == {
        "pipelines": "rollback",
        "params": {"rollback": {"why": why, "version": 3}},
    }


def test_without_a_version_the_champion_before_is_meant(
    asked: list[tuple[list[str], Any]],
) -> None:
    rollback.main(["--why", "w", "--version", ""])
    assert asked[0][1]["run"]["params"] == {"rollback": {"why": "w"}}


@pytest.mark.parametrize("why", [[], ["--why", " "]])
def test_without_a_reason_nothing_is_started(
    why: list[str],
    asked: list[tuple[list[str], Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        rollback.main(why)
    assert 'make rollback WHY="..."' in capsys.readouterr().err
    assert asked == []


@pytest.mark.end_to_end
def test_a_refused_rollback_leaves_the_release_as_it_is(own_project: Any) -> None:
    release = own_project.folder / "bentos" / "releases" / "current.json"
    before = release.read_bytes()
    done = own_project.python("-m", "credit_scoring.rollback", "--why", "x, y")
    assert done.returncode == 1
    assert "nothing to roll back to" in done.stdout + done.stderr
    assert release.read_bytes() == before
    assert not list((own_project.folder / "data" / ".unfinished").iterdir())
    history = own_project.kedro("run", "--pipelines", "history")
    assert history.returncode == 0, history.stdout + history.stderr
    record = json.loads(
        (own_project.folder / "bentos" / "promotion_record.json").read_bytes()
    )
    assert record["digest"] in history.stdout + history.stderr
