"""Notebooks, and how one is run on a copy of the project."""

import os
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

PROJECT = Path(__file__).parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


def read(path: Path) -> Any:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def copy_with_notebooks(project: Path, folder: Path) -> None:
    """Copy a project after a default run, and the notebooks into it."""
    left = shutil.ignore_patterns("bentoml", "mlruns")
    shutil.copytree(project, folder, ignore=left)
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks")


def execute(folder: Path, name: str, patch: pytest.MonkeyPatch) -> None:
    """Run a notebook of a project's copy: it shows something and warns of nothing."""
    for variable in [n for n in os.environ if n.startswith("COV")]:
        patch.delenv(variable)
    patch.setenv("PYTHONPATH", str(folder / "src"))
    patch.setenv("KEDRO_ENV", "test")
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    patch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    content = read(folder / "notebooks" / f"{name}.ipynb")
    place = {"metadata": {"path": str(folder / "notebooks")}}
    NotebookClient(content, timeout=300, resources=place).execute()
    shown = [
        output
        for cell in content.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert [output for output in shown if output.output_type == "execute_result"]
    # Logged warnings are drawn by rich, which is no stream.
    said = [
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in shown
        if output.output_type in ("stream", "display_data")
    ]
    assert "Warning" not in "".join(said)
