"""Where the workers of one server count together.

BentoML takes one folder for all servers of a user and empties it whenever one
starts, so that two beside each other, as in a restart without a gap, would lose
their counts and show each other's. And it does not notice a worker that was killed,
whose gauges would stand for ever.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import psutil

from credit_scoring.environment import variable

_PROMETHEUS = "PROMETHEUS_MULTIPROC_DIR"
_OURS = variable("metrics_dir")


def prepare_metrics_folder() -> None:
    """Make a folder for the server that starts here, and name it to its workers.

    It goes with the server. One that the settings name is taken and stays.
    """
    if os.environ.get(_OURS):
        Path(os.environ[_OURS]).mkdir(parents=True, exist_ok=True)
        return
    folder = tempfile.mkdtemp(prefix="credit_scoring-metrics-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[_OURS] = folder


def use_metrics_folder() -> None:
    """Count in the server's folder; before the first metric of a worker is made."""
    folder = os.environ.get(_OURS)
    if not folder or _PROMETHEUS not in os.environ:
        return
    os.environ[_PROMETHEUS] = folder
    forget_the_dead(Path(folder))


def forget_the_dead(folder: Path) -> None:
    """Remove the gauges of processes that are gone; their counts stay."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            file.unlink(missing_ok=True)
