import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from credit_scoring.pipeline_registry import DEFAULT
from credit_scoring.tracking import is_tracked

PROJECT = Path(__file__).parents[1]
SETTINGS = yaml.safe_load((PROJECT / "conf/base/mlflow.yml").read_text("utf-8"))
UNTRACKED = SETTINGS["tracking"]["disable_tracking"]["pipelines"]

# Ends where the first node would run, or where the run is refused.
STARTED = """
import os, sys
from kedro.framework.cli.cli import main
from kedro.pipeline.node import Node

def ended(*_, **__):
    heavy = {"mlflow", "kedro_mlflow", "matplotlib"} & sys.modules.keys()
    print("imported:", *sorted(heavy), flush=True)
    os._exit(0)

Node.run = ended
sys.argv = ["kedro", "run", *sys.argv[1:]]
try:
    main()
finally:
    ended()
"""


def imported_by_a_start(folder: Path, *arguments: str) -> set[str]:
    """Give which heavy libraries are there before the first node of a run."""
    started = subprocess.run(
        [sys.executable, "-c", STARTED, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    last = started.stdout.splitlines()[-1]
    assert last.startswith("imported:"), started.stdout + started.stderr
    return set(last.split()[1:])


@pytest.mark.end_to_end
def test_a_run_that_is_not_tracked_starts_without_mlflow() -> None:
    assert imported_by_a_start(PROJECT, "--pipelines", "replay") == set()


def test_no_untracked_pipeline_imports_mlflow() -> None:
    modules = [f"import credit_scoring.pipelines.{name}.pipeline" for name in UNTRACKED]
    program = "\n".join([*modules, "import sys", "assert 'mlflow' not in sys.modules"])
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_makes_or_judges_a_model_is_tracked() -> None:
    assert is_tracked({"pipeline_names": ["training"]}, SETTINGS)
    assert is_tracked({"pipeline_names": ["replay", "training"]}, SETTINGS)
    assert not is_tracked({"pipeline_names": ["replay", "outcomes"]}, SETTINGS)
    assert is_tracked({"pipeline_names": ["__default__"]}, SETTINGS)
    assert not set(DEFAULT) & set(UNTRACKED)
