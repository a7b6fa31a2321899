import sys
from pathlib import Path
from typing import Any

import click
import pytest

from credit_scoring import __main__ as entry


def test_the_package_runs_the_projects_run_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[Any] = []
    command = click.Command("run", callback=lambda: called.append("run"))
    monkeypatch.setattr(command, "main", called.append)
    monkeypatch.setattr(entry, "prepare", lambda: called.append("prepare"))
    monkeypatch.setattr(entry, "configure_project", called.append)
    monkeypatch.setattr(entry, "run", command)
    monkeypatch.setattr(sys, "argv", ["credit_scoring", "--tags", "boosting"])
    entry.main()
    assert called == ["prepare", "credit_scoring", ["--tags", "boosting"]]


@pytest.mark.end_to_end
def test_python_m_runs_a_pipeline(own_project: Any) -> None:
    run = own_project.python("-m", "credit_scoring", "--pipelines", "ingestion")
    assert run.returncode == 0, run.stderr
    assert "[1/1] ingestion: ingest applications" in run.stdout
    assert "Warning" not in run.stderr
    assert Path(own_project.folder, "data/02_intermediate").is_dir()
