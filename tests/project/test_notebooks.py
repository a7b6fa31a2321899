"""The notebooks run from top to bottom on a project after a default run."""

import ast
from pathlib import Path
from typing import Any

import pytest

from .executed_notebooks import NOTEBOOKS, copy_with_notebooks, execute, read

# These read what takes minutes to make: `make docs-test`, by guides_followed.py.
LONGER = ("05_fairness_and_alternatives", "06_a_simulated_year")

each_notebook = pytest.mark.parametrize(
    "notebook", NOTEBOOKS, ids=lambda path: path.stem
)


def code_of(path: Path) -> list[str]:
    return [cell.source for cell in read(path).cells if cell.cell_type == "code"]


def test_there_is_one_for_each_subject() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "01_exploring_the_data",
        "02_features_and_bins",
        "03_comparing_candidates",
        "04_reading_one_decision",
        "05_fairness_and_alternatives",
        "06_a_simulated_year",
    ]


@each_notebook
def test_it_is_stored_without_output(notebook: Path) -> None:
    cells = [cell for cell in read(notebook).cells if cell.cell_type == "code"]
    assert len(cells) > 4
    assert not [cell for cell in cells if cell.outputs or cell.execution_count]


@each_notebook
def test_it_holds_no_logic_of_its_own(notebook: Path) -> None:
    made = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.If, ast.While, ast.Try)
    for code in code_of(notebook):
        if code.startswith("%"):
            assert code == "%load_ext kedro.ipython"
            continue
        assert not [
            node for node in ast.walk(ast.parse(code)) if isinstance(node, made)
        ]


@pytest.fixture(scope="module")
def explored(small_project: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project after a default run, with the notebooks."""
    folder = tmp_path_factory.mktemp("explored") / "project"
    copy_with_notebooks(small_project.folder, folder)
    return folder


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    "name", [path.stem for path in NOTEBOOKS if path.stem not in LONGER]
)
def test_it_runs_from_top_to_bottom(
    explored: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(explored, name, monkeypatch)


def test_the_longer_ones_are_run_elsewhere() -> None:
    followed = Path(__file__).with_name("guides_followed.py").read_text("utf-8")
    assert [name for name in LONGER if name not in followed] == []
