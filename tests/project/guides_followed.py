"""The longer guides and notebooks, followed: `make docs-test` (minutes).

Not among the tests that every run makes: candidates are trained anew, decisions are
decided again, alternatives searched, and a short year is simulated.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .documented_commands import Shell
from .executed_notebooks import copy_with_notebooks, execute

DOCS = Path(__file__).parents[2] / "docs"
# Pages of one line are followed one after the other, in one copy of the project.
FOLLOWED = (
    ("how-to/promote.md", "how-to/roll-back.md"),
    ("how-to/go-to-production.md", "how-to/scale-out.md"),
    # There is a decision to audit after the tutorial.
    ("tutorial.md", "how-to/audit-a-decision.md"),
)


@pytest.mark.end_to_end
@pytest.mark.parametrize("pages", FOLLOWED, ids=" then ".join)
def test_the_commands_of_a_longer_guide_work(
    shell: Shell, pages: tuple[str, ...]
) -> None:
    for page in pages:
        assert shell.follow((DOCS / page).read_text(encoding="utf-8")) > 0


def test_the_notebook_of_alternatives_runs(
    small_project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    copy_with_notebooks(small_project.folder, folder)
    done = type(small_project)(folder).kedro("run", "--pipelines", "alternatives")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    execute(folder, "05_fairness_and_alternatives", monkeypatch)


def test_the_notebook_of_the_simulated_year_runs(
    small_project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    copy_with_notebooks(small_project.folder, folder)
    # The year keeps models in an MLflow store of its own.
    environment = {n: v for n, v in os.environ.items() if not n.startswith("COV")}
    for name in ("MLFLOW_TRACKING_URI", "KEDRO_ENV"):
        environment.pop(name, None)
    short = "--months=3 --applications=400 --lag=1 --window=200 --years=1 --strength=4"
    subprocess.run(
        [sys.executable, "-m", "credit_scoring.simulation", *short.split()],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(folder / "src")},
        capture_output=True,
        check=True,
    )
    execute(folder, "06_a_simulated_year", monkeypatch)
