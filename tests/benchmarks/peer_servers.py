"""The servers of the benchmark: how each is started, asked and measured."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil

from credit_scoring.serving.local_server import HOST, free_port, stop

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
# The server has a core of its own if there are two; the client takes the other.
_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = _CORES[0], _CORES[-1]
_READY_SECONDS = 120.0
_BIN = Path(sys.executable).parent

Json = dict[str, Any]


@dataclass(frozen=True)
class Peer:
    """A server to measure.

    Attributes:
        name: As tables name it.
        title: What it does.
        command: Starts it; ``{port}`` stands for the port.
        path: Where it takes applications.
        body: Makes its request's body of an application.
        answer: Takes PD, score and decision out of its answer, as far as it
            gives them; none for a server that does not score.
        environment: Variables besides this process's own.
    """

    name: str
    title: str
    command: tuple[str, ...]
    path: str = "/predict"
    body: Callable[[Json], object] = lambda application: application
    answer: Callable[[Json], Json] | None = lambda answer: answer
    environment: Mapping[str, str] = field(default_factory=dict)

    def request(self, application: Json) -> bytes:
        """Write a whole HTTP request."""
        body = json.dumps(self.body(application)).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass
class Running:
    """A server that runs.

    Attributes:
        peer: What it is.
        port: Where it listens.
        process: The process that was started.
        start_seconds: From its start to its first answer to an application.
    """

    peer: Peer
    port: int
    process: subprocess.Popen[bytes]
    start_seconds: float

    def ask(self, application: Json) -> Json:
        """Send one application."""
        return _ask(self.peer, self.port, application)

    def cpu_seconds(self) -> float:
        """Processor time of the server and all its processes so far."""
        total = 0.0
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def worker_mb(self) -> float:
        """Resident memory of its largest process: the worker's.

        What it shares with other processes counts in full.
        """
        sizes = []
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                sizes.append(process.memory_info().rss / 1e6)
        return max(sizes)

    def _family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


def uvicorn(app: str) -> tuple[str, ...]:
    """Serve an app with the settings that BentoML gives its own uvicorn."""
    return (
        *(sys.executable, "-m", "uvicorn", app, "--factory"),
        *("--app-dir", str(HERE), "--host", HOST, "--port", "{port}"),
        *("--workers", "1", "--log-level", "warning", "--no-access-log"),
        *("--no-server-header", "--timeout-keep-alive", "60"),
    )


def _served_by_mlflow(answer: Json) -> Json:
    (row,) = answer["predictions"]
    return dict(row)


def all_peers(bento: str, mlflow_model: str) -> tuple[Peer, ...]:
    """Name the servers, ours first.

    Args:
        bento: Tag of the Bento.
        mlflow_model: URI of the same model in MLflow.
    """
    bentoml = (sys.executable, "-m", "bentoml", "serve")
    listen = ("--host", HOST, "--port", "{port}")
    return (
        Peer(
            "service",
            "this service, full work",
            (*bentoml, bento, *listen),
            path="/predict?reasons=true",
        ),
        Peer(
            "echo_bentoml",
            "bare ASGI echo, served by BentoML",
            (*bentoml, "peer_bentoml_echo:Echo", *listen, "--working-dir", str(HERE)),
            answer=None,
        ),
        Peer(
            "echo_uvicorn",
            "bare ASGI echo, served by uvicorn",
            uvicorn("peer_echo:echo"),
            answer=None,
        ),
        Peer(
            "fastapi_full",
            "FastAPI + XGBoost + pred_contribs, full work",
            uvicorn("peers:fastapi_full"),
        ),
        Peer(
            "fastapi_full_compiled",
            "the same with our compiled features",
            uvicorn("peers:fastapi_full_compiled"),
        ),
        Peer(
            "fastapi_scoring",
            "FastAPI + XGBoost, scoring only",
            uvicorn("peers:fastapi_scoring"),
        ),
        Peer(
            "bentoml_quick_start",
            "BentoML quick start, scoring only",
            (*bentoml, "peer_bentoml:QuickStart", *listen, "--working-dir", str(HERE)),
            body=lambda application: {"application": application},
        ),
        Peer(
            "mlflow",
            "mlflow models serve, no reasons",
            (
                *(sys.executable, "-m", "mlflow", "models", "serve"),
                *("-m", mlflow_model, "--env-manager", "local", "--workers", "1"),
                *("--host", HOST, "--port", "{port}"),
            ),
            path="/invocations",
            body=lambda application: {
                "dataframe_records": [
                    {k: v for k, v in application.items() if k != "loan_id"}
                ]
            },
            answer=_served_by_mlflow,
        ),
    )


@contextlib.contextmanager
def running(peer: Peer, log: Path, application: Json) -> Iterator[Running]:
    """Run a server on its core until the block is left.

    Args:
        peer: Which.
        log: Takes its output.
        application: Asked until it is answered.

    Raises:
        RuntimeError: If it does not answer in time; with its log's tail.
    """
    port = free_port()
    environment = {**os.environ, **peer.environment}
    # Scripts that a server starts by name are those of this environment.
    environment["PATH"] = f"{_BIN}{os.pathsep}{environment.get('PATH', '')}"
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [part.replace("{port}", str(port)) for part in peer.command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=PROJECT,
            start_new_session=True,
        )
        psutil.Process(process.pid).cpu_affinity([SERVER_CORE])
    try:
        _wait(peer, port, process, application, log)
        yield Running(peer, port, process, time.monotonic() - started)
    finally:
        stop(process)


def _wait(
    peer: Peer,
    port: int,
    process: subprocess.Popen[bytes],
    application: Json,
    log: Path,
) -> None:
    end = time.monotonic() + _READY_SECONDS
    while True:
        try:
            _ask(peer, port, application)
            return
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                tail = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{peer.name}: {error}:\n{tail}") from None
        except (urllib.error.URLError, OSError, ValueError) as error:
            if process.poll() is not None or time.monotonic() > end:
                tail = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(
                    f"{peer.name} does not answer ({error}):\n{tail}"
                ) from None
        time.sleep(0.05)


def _ask(peer: Peer, port: int, application: Json) -> Json:
    request = urllib.request.Request(
        f"http://{HOST}:{port}{peer.path}",
        json.dumps(peer.body(application)).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - as above
        answer = json.load(response)
    return answer if isinstance(answer, dict) else {}
