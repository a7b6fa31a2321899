import logging
import os
import subprocess
import sys

import pytest

from credit_scoring.startup import is_worth_reading, prepare


def warning(text: str) -> logging.LogRecord:
    return logging.LogRecord("py.warnings", 30, "", 0, "%s", (text,), None)


def test_only_the_known_warning_is_left_out() -> None:
    assert is_worth_reading(warning("x.py:1: UserWarning: something else"))
    assert not is_worth_reading(
        warning("x.py:1: UserWarning: \x1b[33mAdd type hints to the `predict` method")
    )


def test_no_telemetry_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    monkeypatch.delenv("BENTOML_DO_NOT_TRACK", raising=False)
    logger = logging.getLogger("py.warnings")
    before = list(logger.filters)
    try:
        prepare()
    finally:
        logging.captureWarnings(False)
        logger.filters[:] = before
    assert os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["BENTOML_DO_NOT_TRACK"] == "True"


def test_kedro_starts_without_a_warning() -> None:
    started = subprocess.run(
        [sys.executable, "-m", "kedro", "info"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Warning" not in started.stderr + started.stdout
