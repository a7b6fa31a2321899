import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from credit_scoring.startup import NO_TELEMETRY, is_worth_reading, prepare


def warning(text: str) -> logging.LogRecord:
    return logging.LogRecord("py.warnings", 30, "", 0, "%s", (text,), None)


def test_only_the_known_warning_is_left_out() -> None:
    assert is_worth_reading(warning("x.py:1: UserWarning: something else"))
    assert not is_worth_reading(
        warning("x.py:1: UserWarning: \x1b[33mAdd type hints to the `predict` method")
    )


def test_no_telemetry_is_sent_and_no_known_noise_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", {})
    logger = logging.getLogger("py.warnings")
    before = list(logger.filters)
    try:
        prepare()
    finally:
        logging.captureWarnings(False)
        logger.filters[:] = before
    assert {name: os.environ[name] for name in NO_TELEMETRY} == NO_TELEMETRY
    assert os.environ["PYTHONWARNINGS"].startswith("ignore:register_new_resolver()")
    assert os.environ["JOBLIB_MULTIPROCESSING"] == "0"
    assert os.environ["GIT_PYTHON_REFRESH"] == "quiet"


def test_mlflow_has_no_telemetry_client_and_leaves_no_file(tmp_path: Path) -> None:
    program = (
        "from credit_scoring.startup import prepare; prepare()\n"
        "import mlflow\n"
        "from mlflow.telemetry import get_telemetry_client\n"
        "raise SystemExit(get_telemetry_client() is not None)"
    )
    # MLflow keeps quiet by itself where it sees a continuous integration or pytest.
    kept = {
        name: os.environ[name]
        for name in ("PATH", "PYTHONPATH", "BENTOML_HOME")
        if name in os.environ
    }
    subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, "HOME": str(tmp_path)},
        check=True,
    )
    assert not list(tmp_path.glob(".config/mlflow/*"))


def test_kedro_starts_without_a_warning() -> None:
    started = subprocess.run(
        [sys.executable, "-m", "kedro", "info"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Warning" not in started.stderr + started.stdout
