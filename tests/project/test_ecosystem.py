"""MLflow's pages of what a run left, and its Bento taken elsewhere.

The other commands of docs/how-to/ecosystem.md are run by test_documented_commands.py.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from credit_scoring.serving.local_server import HOST, free_port, stop

pytestmark = pytest.mark.end_to_end

_READY_SECONDS = 180.0


def printed(project: Any, *command: str, **environment: str) -> str:
    done = project.python("-m", *command, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    text: str = done.stdout
    return text


def release_of(project: Any) -> dict[str, Any]:
    path = project.folder / "bentos" / "releases" / "current.json"
    release: dict[str, Any] = json.loads(path.read_bytes())
    return release


def test_bentoml_lists_and_exports_what_a_run_packed(
    small_project: Any, tmp_path: Path
) -> None:
    release = release_of(small_project)
    tag = release["bento"]
    listed = json.loads(printed(small_project, "bentoml", "list", "--output", "json"))
    assert tag in [bento["tag"] for bento in listed]
    file = tmp_path / "packed.bento"
    printed(small_project, "bentoml", "export", tag, str(file))
    # Elsewhere it arrives with its models.
    elsewhere = tmp_path / "elsewhere"
    subprocess.run(
        [sys.executable, "-m", "bentoml", "import", str(file)],
        env=os.environ | {"BENTOML_HOME": str(elsewhere)},
        check=True, capture_output=True,
    )  # fmt: skip
    name, version = tag.split(":")
    assert (elsewhere / "bentos" / name / version / "bento.yaml").is_file()
    assert "champion" in release["models"]
    for model in release["models"].values():
        folder = elsewhere / "models" / Path(*model.split(":"))
        assert (folder / "artifact" / "manifest.json").is_file()


@contextmanager
def mlflow_ui(project: Any, log: Path) -> Iterator[str]:
    """Serve MLflow's pages of what a run left."""
    url = f"http://{HOST}:{(port := free_port())}"
    command = ["-m", "mlflow", "ui", "--host", HOST, "--port", str(port)]
    store = ["--backend-store-uri", f"sqlite:///{project.folder}/mlflow.db"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command, *store, "--workers", "1"],
            cwd=project.folder, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        gives_up = time.monotonic() + _READY_SECONDS
        while not answers(f"{url}/health"):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < gives_up, log.read_text()[-3000:]
            time.sleep(0.2)
        yield url
    finally:
        stop(process)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_mlflow_ui_shows_runs_and_versions(small_project: Any, tmp_path: Path) -> None:
    with mlflow_ui(small_project, tmp_path / "mlflow.log") as url:
        page = httpx.get(url, timeout=30)
        found = httpx.get(
            f"{url}/ajax-api/2.0/mlflow/registered-models/search", timeout=30
        ).json()
    assert "<title>MLflow</title>" in page.text
    aliases = {
        alias["alias"]
        for model in found["registered_models"]
        for alias in model.get("aliases", ())
    }
    assert "champion" in aliases
