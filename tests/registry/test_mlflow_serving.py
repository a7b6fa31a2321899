import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest

from credit_scoring.registry import mlflow_registry
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.mlflow_registry import CandidateLog, MlflowRegistry

pytestmark = pytest.mark.end_to_end


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def server(
    mlflow_store: Path,
    folder: Path,
    package_copy: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """`mlflow models serve` of the champion, by the code that MLflow keeps."""
    assert mlflow_store
    monkeypatch.setattr(mlflow_registry, "_PACKAGE", package_copy)
    registry = MlflowRegistry()
    log = CandidateLog({}, {}, "data.csv", {})
    version = registry.log_candidate(load_artifact(folder), log)
    registry.set_alias("champion", version.version)
    port = free_port()
    words = f"models serve -m models:/credit_scoring@champion --port {port}"
    environment = {
        **os.environ,
        # mlflow finds uvicorn on the path, as an activated environment has it.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(),
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    }
    environment.pop("PYTHONPATH", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words.split(), "--env-manager", "local"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield wait_for(f"http://127.0.0.1:{port}", process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> str:
    for _ in range(240):
        assert process.poll() is None, "mlflow has stopped"
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=2):  # noqa: S310
                return url
        except OSError:
            time.sleep(0.25)
    pytest.fail("mlflow does not answer")


def test_mlflow_serves_the_pds_of_the_engine_to_the_bit(
    server: str, folder: Path, applications: dict[str, np.ndarray]
) -> None:
    asked = [
        {name: float(values[row]) for name, values in applications.items()}
        for row in range(400)
    ]
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{server}/invocations",
        json.dumps({"dataframe_records": asked}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        answers = json.load(response)["predictions"]
    decisions = load_artifact(folder).engine.decide(applications, explain=False)
    assert [answer["pd"] for answer in answers] == decisions.pd_.tolist()
    assert [answer["score"] for answer in answers] == decisions.score.tolist()
