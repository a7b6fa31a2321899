"""A whole run on an MLflow server that is killed in the middle and brought back.

Run by ``make production-test``: it takes minutes. Answers are lost on the way, too: the
server registers a version, and the run never hears of it and sends it again.
"""

import contextlib
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
import requests
from mlflow.tracking import MlflowClient

from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.mlflow_registry import MlflowRegistry
from credit_scoring.registry.promotion_access import open_promotions
from credit_scoring.serving.local_server import HOST, free_port

from .servers import BUCKET, S3, MlflowServer

PROJECT = Path(__file__).parents[2]
PARTS = ("bentofile.yaml", "bentos", "conf", "data/01_raw", "pyproject.toml", "src")
MADE = shutil.ignore_patterns(
    "releases", "models.json", "promotion_record.json", "*.egg-info", "local"
)
AWAY_SECONDS = 5.0
REGISTER = "/api/2.0/mlflow/model-versions/create"


class LossyWay:
    """Stands between a run and its server, and loses some answers."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self.lost = 0
        self._server_port = port
        self._seen: dict[bytes, int] = {}

    @contextlib.contextmanager
    def open(self) -> Iterator[str]:
        way = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                way.pass_on(self)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        with Server((HOST, self.port), Handler) as server:
            threading.Thread(target=server.serve_forever, args=(0.05,)).start()
            try:
                yield f"http://{HOST}:{self.port}"
            finally:
                server.shutdown()

    def pass_on(self, handler: socketserver.StreamRequestHandler) -> None:
        """Pass one request on; lose the answer to each first registration."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = handler.rfile.readline()
            if not line:
                return
            head += line
        method, target, _ = head.split(b" ", 2)
        pairs = [line.partition(b": ") for line in head.split(b"\r\n")[1:] if line]
        headers = {name.decode(): value.decode() for name, _, value in pairs}
        if headers.pop("Transfer-Encoding", ""):
            body = chunks_of(handler.rfile)
        else:
            body = handler.rfile.read(int(headers.get("Content-Length", 0)))
        try:
            answer = requests.request(
                method.decode(),
                f"http://{HOST}:{self._server_port}{target.decode()}",
                headers={**headers, "Accept-Encoding": "identity"},
                data=body,
                timeout=300,
            )
        except requests.RequestException:
            return  # the connection breaks off, as the server's does
        if target.decode() == REGISTER and not self._seen.setdefault(body, 0):
            self._seen[body] += 1
            self.lost += 1
            return
        said = [f"HTTP/1.1 {answer.status_code} {answer.reason}", "Connection: close"]
        kind = answer.headers.get("Content-Type")
        said += [f"Content-Type: {kind}"] if kind else []
        said += [f"Content-Length: {len(answer.content)}", "", ""]
        handler.wfile.write("\r\n".join(said).encode() + answer.content)


def chunks_of(stream: BinaryIO) -> bytes:
    """Read a body whose length was not said."""
    chunks = []
    while size := int(stream.readline(), 16):
        chunks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(chunks)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, with the small budgets of tests in production."""
    folder = tmp_path / "a project"
    for part in PARTS:
        source, target = PROJECT / part, folder / part
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        else:
            shutil.copytree(source, target, ignore=MADE)
    for file in (PROJECT / "conf" / "test").glob("*.yml"):
        shutil.copy2(file, folder / "conf" / "production")
    return folder


def runs_begun(server: MlflowServer) -> int:
    client = MlflowClient(server.url)
    experiment = client.get_experiment_by_name("credit_scoring")
    if experiment is None:
        return 0
    return len(client.search_runs([experiment.experiment_id]))


def test_a_killed_server_and_lost_answers_leave_whole_versions(  # noqa: PLR0913, PLR0917 - fixtures
    server: MlflowServer,
    store: S3,
    environment: dict[str, str],
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    way = LossyWay(server.port)
    output = (tmp_path / "run.log").open("wb")
    with way.open() as url, output:
        run = subprocess.Popen(
            [sys.executable, "-m", "kedro", "run", "--env", "production"],
            cwd=project,
            env={
                **os.environ,
                **environment,
                "PYTHONPATH": str(project / "src"),
                "BENTOML_HOME": str(tmp_path / "bento ml"),
                "MLFLOW_TRACKING_URI": url,
                "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
                "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "9",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            # The run, and the first of its candidates: it is being registered.
            gives_up = time.monotonic() + 900
            while runs_begun(server) < 2 and run.poll() is None:
                assert time.monotonic() < gives_up
                time.sleep(0.2)
            assert run.poll() is None
            server.kill()
            time.sleep(AWAY_SECONDS)
            assert run.poll() is None
            server.start()
            code = run.wait(900)
        finally:
            run.kill()
            run.wait()
    assert code == 0, (tmp_path / "run.log").read_text()[-3000:]
    assert way.lost >= 3  # two versions and the record of their promotion
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert_whole(server.url)
    assert objects_in(store) > 10
    assert not list(project.glob("mlruns*")) + list(project.glob("mlflow.db"))


def assert_whole(url: str) -> None:
    """Both candidates are registered once, complete, and have the roles."""
    import mlflow

    mlflow.set_tracking_uri(url)
    registry = MlflowRegistry()
    versions = registry.versions()
    assert sorted(version.family for version in versions) == ["boosting", "scorecard"]
    for version in versions:
        with registry.model_folder(version.version) as folder:
            artifact = load_artifact(folder / "data" / "artifact")
            assert artifact.digest == version.digest
    (record,) = open_promotions("credit_scoring").log.records()
    for role in ("champion", "challenger"):
        holder = registry.holder(role)
        assert holder is not None
        assert record[role]["version"] == holder.version


def objects_in(store: S3) -> int:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=store.url,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        region_name="us-east-1",
    )
    return int(client.list_objects_v2(Bucket=BUCKET, MaxKeys=1000)["KeyCount"])
