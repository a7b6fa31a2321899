"""One folder for the workers of one server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from credit_scoring.serving.metrics_folder import (
    forget_the_dead,
    prepare_metrics_folder,
    use_metrics_folder,
)

OURS = "CREDIT_SCORING_METRICS_DIR"
PROMETHEUS = "PROMETHEUS_MULTIPROC_DIR"


@pytest.fixture
def dead() -> int:
    """Number of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_each_server_has_a_folder_that_goes_with_it(tmp_path: Path) -> None:
    program = (
        "import os; from credit_scoring.serving.metrics_folder import *;"
        f"prepare_metrics_folder(); print(os.environ['{OURS}'], end='');"
        f"assert os.path.isdir(os.environ['{OURS}'])"
    )
    environment = {n: v for n, v in os.environ.items() if n != OURS}
    folders = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**environment, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    }
    assert len(folders) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_named_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "metrics"
    monkeypatch.setenv(OURS, str(folder))
    monkeypatch.setenv(PROMETHEUS, "elsewhere")
    prepare_metrics_folder()
    use_metrics_folder()
    assert folder.is_dir()
    assert os.environ[PROMETHEUS] == str(folder)


def test_outside_of_a_server_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROMETHEUS, raising=False)
    monkeypatch.setenv(OURS, "somewhere")
    use_metrics_folder()
    assert PROMETHEUS not in os.environ


def test_the_gauges_of_the_dead_go_and_their_counts_stay(
    tmp_path: Path, dead: int
) -> None:
    for pid in (dead, os.getpid()):
        for kind in ("gauge_livemax", "gauge_livesum", "counter", "histogram"):
            (tmp_path / f"{kind}_{pid}.db").touch()
    (tmp_path / "gauge_livemax_odd.db").touch()
    forget_the_dead(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {
        f"counter_{dead}.db",
        f"histogram_{dead}.db",
        f"counter_{os.getpid()}.db",
        f"histogram_{os.getpid()}.db",
        f"gauge_livemax_{os.getpid()}.db",
        f"gauge_livesum_{os.getpid()}.db",
        "gauge_livemax_odd.db",
    }
