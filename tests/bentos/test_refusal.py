"""A champion that is refused after the first check ends the server, with its file."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from credit_scoring.serving.local_server import HOST, free_port, is_ready, stop

pytestmark = [pytest.mark.end_to_end, pytest.mark.faults]


@pytest.fixture
def champion(bento: str) -> Iterator[Path]:
    """Folder of the champion's artifact, which is mended afterwards."""
    assert bento
    program = "import bentoml; print(bentoml.models.get('credit_scoring:v1-test').path)"
    place = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()
    folder = Path(place) / "artifact"
    genuine = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    yield folder
    for path, content in genuine.items():
        path.write_bytes(content)


@pytest.fixture
def serve(
    bento: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], tuple[subprocess.Popen[str], int]]]:
    monkeypatch.setenv("CREDIT_SCORING_DECISION_LOG_DIR", str(tmp_path / "decisions"))
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], int]:
        port = free_port()
        command = [sys.executable, "-m", "bentoml", "serve", bento]
        server = subprocess.Popen(
            [*command, "--host", HOST, "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(server)
        return server, port

    yield start
    for server in started:
        stop(server)
        if server.stdout is not None:
            server.stdout.close()


def assert_it_ends(server: subprocess.Popen[str], reason: str) -> None:
    said, _ = server.communicate(timeout=90)
    assert server.returncode == 1
    last = said.splitlines()[-1]
    assert last.startswith("Error: the service is stopped: "), said
    assert reason in last


def altered(champion: Path) -> None:
    policy = champion / "policy.json"
    policy.write_bytes(policy.read_bytes() + b" ")


def workers(server: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(server.pid).children()


def test_a_file_that_is_altered_between_the_check_and_the_load(
    champion: Path,
    serve: Callable[[], tuple[subprocess.Popen[str], int]],
    fault: Callable[..., None],
) -> None:
    """A worker needs a second to import what loads the champion."""
    server, _ = serve()
    deadline = time.monotonic() + 90
    while not workers(server):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    altered(champion)
    assert_it_ends(server, "altered (SHA-256 differs): policy.json")
    fault(
        "champion altered while its worker starts",
        sent=0,
        failed=0,
        lost=0,
        seen="the server ends with the file's name and exit code 1",
    )


def test_a_file_that_is_altered_before_a_worker_is_started_again(
    champion: Path,
    serve: Callable[[], tuple[subprocess.Popen[str], int]],
    fault: Callable[..., None],
) -> None:
    server, port = serve()
    deadline = time.monotonic() + 90
    while not is_ready(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    altered(champion)
    assert httpx.get(f"http://{HOST}:{port}/readyz").status_code == 200
    (worker,) = workers(server)
    worker.kill()
    assert_it_ends(server, "altered (SHA-256 differs): policy.json")
    fault(
        "champion altered, then its worker killed",
        sent=0,
        failed=0,
        lost=0,
        seen="the server ends with the file's name and exit code 1",
    )
