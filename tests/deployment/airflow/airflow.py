"""The real Airflow, in its own environment."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
FOLDER = PROJECT / "deployment" / "airflow"
AIRFLOW = PROJECT / ".venv-airflow" / "bin" / "python"


def require_airflow() -> None:
    """Skip the test where it is not installed."""
    if not AIRFLOW.is_file():
        pytest.skip("Airflow is not installed (make airflow)")


def variables(home: Path, **more: str) -> dict[str, str]:
    """Give the environment of its processes, which is not that of the tests."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "COV"))}
    return {
        **kept,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        **more,
    }


def airflow(
    words: Sequence[str], *, home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run its Python; the test is skipped where it is not installed."""
    require_airflow()
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [str(AIRFLOW), *words],
        env=variables(home, **environment),
        capture_output=True,
        text=True,
        check=False,
    )
