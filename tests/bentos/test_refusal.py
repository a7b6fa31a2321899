"""A champion that is refused after the first check ends the server, with its file."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
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


def test_files_that_agree_with_their_digests_and_not_with_each_other(
    champion: Path,
    serve: Callable[[], tuple[subprocess.Popen[str], int]],
    fault: Callable[..., None],
) -> None:
    """The check before the start compares digests; the load decides again."""
    calibration = champion / "calibration.json"
    values = json.loads(calibration.read_bytes())
    calibration.write_text(json.dumps({**values, "intercept": -1.4}))
    manifest = champion / "manifest.json"
    old = json.loads(manifest.read_bytes())
    text = manifest.read_text(encoding="utf-8")
    new = sha256(calibration.read_bytes()).hexdigest()
    manifest.write_text(text.replace(old["files"]["calibration.json"], new))
    server, _ = serve()
    assert_it_ends(server, "reference applications are not reproduced to the bit")
    fault(
        "champion refused at load",
        sent=0,
        failed=0,
        lost=0,
        seen="the server ends with the reason and exit code 1",
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
    policy = champion / "policy.json"
    policy.write_bytes(policy.read_bytes() + b" ")
    assert httpx.get(f"http://{HOST}:{port}/readyz").status_code == 200
    (worker,) = psutil.Process(server.pid).children()
    worker.kill()
    assert_it_ends(server, "altered (SHA-256 differs): policy.json")
    fault(
        "champion altered, then its worker killed",
        sent=0,
        failed=0,
        lost=0,
        seen="the server ends with the file's name and exit code 1",
    )
