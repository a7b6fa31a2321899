"""One Airflow and one project for all that really runs DAGs, and who is told."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from credit_scoring.serving.local_redis import local_redis
from credit_scoring.serving.local_server import HOST, free_port

from ..conftest import program
from .deployed import Deployed

PATIENCE_SECONDS = 120.0
ALERTMANAGER = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def eventually(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something that comes by itself."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def answers(url: str) -> bool:
    """Tell whether a server answers."""
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


class Told:
    """A real Alertmanager, and what it was told."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://{HOST}:{(port := free_port())}"
        configuration = folder / "alertmanager.yml"
        configuration.write_text(ALERTMANAGER)
        self.process = subprocess.Popen(
            [
                program("prometheus-alertmanager", "alertmanager"),
                f"--config.file={configuration}",
                f"--storage.path={folder / 'alerts'}",
                f"--web.listen-address={HOST}:{port}",
                "--cluster.listen-address=",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def alerts(self) -> set[tuple[str, str]]:
        """Give names of alerts, each with its pipeline."""
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/api/v2/alerts").json()
        return {
            (each["labels"]["alertname"], each["labels"]["pipeline"]) for each in found
        }


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    told = Told(tmp_path_factory.mktemp("alertmanager"))
    try:
        eventually(lambda: answers(f"{told.url}/-/ready"))
        yield told
    finally:
        told.process.terminate()
        told.process.wait(30)


@pytest.fixture(scope="session")
def scheduled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with local_redis() as redis:
        yield Deployed(tmp_path_factory.mktemp("airflow"), redis)
