"""The hooks of pre-commit and the development container use what this project has."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
BIN = ".venv/bin/"


def hooks() -> dict[str, dict[str, Any]]:
    path = PROJECT / ".pre-commit-config.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    (repository,) = content["repos"]
    # Nothing is fetched from elsewhere.
    assert repository["repo"] == "local"
    return {hook["id"]: hook for hook in repository["hooks"]}


def command(hook: dict[str, Any]) -> list[str]:
    """Give a hook's command with the programs of this environment."""
    program, *options = hook["entry"].split()
    assert program.startswith(BIN)
    return [str(PROGRAMS / program.removeprefix(BIN)), *options]


def makefile() -> str:
    return (PROJECT / "Makefile").read_text(encoding="utf-8")


def test_the_programs_of_the_hooks_are_in_the_environment() -> None:
    for name, hook in hooks().items():
        assert hook["language"] == "system", name
        program, *_ = command(hook)
        assert shutil.which(program), name


def test_the_hooks_ask_all_that_the_check_asks() -> None:
    recipe = makefile().split("\ncheck: ")[1].split("\n\n")[0]
    asked = re.findall(r"^\t@\$\(BIN\)/(.*)$", recipe, re.MULTILINE)
    assert len(asked) == 4
    entries = [
        hook["entry"].removeprefix(BIN).replace(" --force-exclude", "")
        for hook in hooks().values()
    ]
    assert set(asked) <= set(entries)


@pytest.mark.parametrize(
    ("hook", "name", "right", "wrong"),
    [
        ("lint", "x.py", "X = 1\n", "import os\n"),
        ("format", "x.py", "X = 1\n", "X=1\n"),
    ],
    ids=["lint", "format"],
)
def test_a_hook_stops_what_is_wrong_and_nothing_else(
    tmp_path: Path, hook: str, name: str, right: str, wrong: str
) -> None:
    for text, stops in ((right, False), (wrong, True)):
        (tmp_path / name).write_text(text)
        done = subprocess.run(
            [*command(hooks()[hook]), name],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) is stops, done.stdout + done.stderr


def test_the_container_is_made_by_a_target_that_is_there() -> None:
    path = PROJECT / ".devcontainer" / "devcontainer.json"
    container = json.loads(path.read_bytes())
    make, target = container["postCreateCommand"].split()
    assert make == "make"
    assert re.search(rf"^{target}:", makefile(), re.MULTILINE)
    # A Python that the project supports, from wherever the machine takes its images.
    assert re.fullmatch(r"python:3\.1[1-3]-[a-z]+", container["image"])
    assert container["remoteEnv"]["PATH"].startswith(
        "${containerWorkspaceFolder}/.venv/bin:"
    )
