"""The notebooks run from top to bottom on a project after a default run."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

PROJECT = Path(__file__).parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
# A short form of `make simulate`.
YEAR = ("--months=3", "--applications=400", "--lag=1", "--window=200", "--years=1")

each_notebook = pytest.mark.parametrize(
    "notebook", NOTEBOOKS, ids=lambda path: path.stem
)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


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
def explored(small_project: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A copy of the project in which alternatives and a short year were made, too."""
    folder = tmp_path_factory.mktemp("explored") / "project"
    shutil.copytree(
        small_project.folder, folder, ignore=shutil.ignore_patterns("bentoml", "mlruns")
    )
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks")
    project = type(small_project)(folder)
    done = project.kedro("run", "--pipelines", "alternatives")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    # The year keeps models in an MLflow store of its own.
    environment = {n: v for n, v in os.environ.items() if not n.startswith("COV")}
    for name in ("MLFLOW_TRACKING_URI", "KEDRO_ENV"):
        environment.pop(name, None)
    subprocess.run(
        [sys.executable, "-m", "credit_scoring.simulation", *YEAR, "--strength=4"],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(folder / "src")},
        capture_output=True,
        check=True,
    )
    return project


@pytest.mark.end_to_end
@each_notebook
def test_it_runs_from_top_to_bottom(
    explored: Any, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = explored.folder
    for name in [n for n in os.environ if n.startswith("COV")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(folder / "src"))
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    # The kernel's files, and Matplotlib's, are the test's.
    monkeypatch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    content = read(folder / "notebooks" / notebook.name)
    place = {"metadata": {"path": str(folder / "notebooks")}}
    NotebookClient(content, timeout=300, resources=place).execute()
    shown = [
        output
        for cell in content.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert [output for output in shown if output.output_type == "execute_result"]
    said = "".join(o.text for o in shown if o.output_type == "stream")
    assert "Warning" not in said
