"""The real Prometheus and Alertmanager beside a served Bento, and a receiver.

They run with the project's own files, but for addresses and times: what takes minutes
there takes seconds here.
"""

import contextlib
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from credit_scoring.serving.local_server import HOST, free_port, stop

DEPLOYMENT = Path(__file__).parents[2] / "deployment"
# A second between scrapes and evaluations, some of which come late on a busy machine.
WINDOW = "10s"
PATIENCE_SECONDS = 60.0

Json = dict[str, Any]


class Receiver:
    """Takes alerts as a webhook does."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.alerts: list[tuple[str, Json]] = []
        take = self.alerts.append

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                for alert in json.loads(body)["alerts"]:
                    take((self.path, alert))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def received(self, name: str, status: str) -> list[tuple[str, Json]]:
        """Give the alerts of a name that are firing or resolved, with their paths."""
        return [
            (path, alert)
            for path, alert in list(self.alerts)
            if alert["labels"]["alertname"] == name and alert["status"] == status
        ]

    def wait_for(self, name: str, status: str) -> tuple[str, Json]:
        """Wait for an alert, and give its path and itself as it came last."""
        eventually(lambda: bool(self.received(name, status)))
        return self.received(name, status)[-1]


@dataclass(frozen=True)
class MonitoringStack:
    """Where the servers are."""

    prometheus: str
    receiver: Receiver

    def values(self, query: str) -> list[float]:
        """Ask Prometheus; give the values of all series."""
        path = f"{self.prometheus}/api/v1/query"
        answer = httpx.get(path, params={"query": query}).json()
        assert answer["status"] == "success", answer
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    def rules(self) -> list[Json]:
        """Ask Prometheus for its rules, with the errors of each."""
        answer = httpx.get(f"{self.prometheus}/api/v1/rules").json()
        return [rule for group in answer["data"]["groups"] for rule in group["rules"]]


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something that comes by itself."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def hastened(text: str) -> str:
    """Shorten the windows and waits of rules."""
    text = re.sub(r"\[\d+[smhd]\]", f"[{WINDOW}]", text)
    text = re.sub(r"\boffset \d+[smhd]", f"offset {WINDOW}", text)
    return re.sub(r"\bfor: \d+[smhd]", "for: 1s", text)


def write_configuration(folder: Path, addresses: dict[str, str]) -> None:
    """Copy the project's files with these addresses and short times."""
    source = DEPLOYMENT / "prometheus"
    text = (source / "prometheus.yml").read_text(encoding="utf-8")
    for ours, theirs in addresses.items():
        assert ours in text
        text = text.replace(f'"{ours}"', f'"{theirs}"')
    text = re.sub(r"_(interval|timeout): \d+s", r"_\1: 1s", text)
    (folder / "prometheus.yml").write_text(text, encoding="utf-8")
    (folder / "rules").mkdir()
    for file in (source / "rules").glob("*.yml"):
        short = hastened(file.read_text(encoding="utf-8"))
        (folder / "rules" / file.name).write_text(short, encoding="utf-8")
    text = (DEPLOYMENT / "alertmanager/alertmanager.yml").read_text(encoding="utf-8")
    text = re.sub(r"group_(wait|interval): \w+", r"group_\1: 1s", text)
    (folder / "alertmanager.yml").write_text(text, encoding="utf-8")


@contextlib.contextmanager
def monitoring_stack(service: str, folder: Path) -> Iterator[MonitoringStack]:
    """Watch a service until the block is left.

    Args:
        service: Host and port of the service.
        folder: For files of the servers; it exists.
    """
    alertmanager, prometheus = (f"{HOST}:{free_port()}" for _ in range(2))
    addresses = {
        'service-1:3000", "service-2:3000': service,
        "alertmanager:9093": alertmanager,
        "localhost:9090": prometheus,
    }
    write_configuration(folder, addresses)
    receiver = Receiver()
    starts = (
        (
            str(DEPLOYMENT / "alertmanager" / "start.sh"),
            str(folder / "alertmanager.yml"),
            str(folder / "written.yml"),
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address={alertmanager}",
            "--cluster.listen-address=",
        ),
        (
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={prometheus}",
            "--rules.alert.resend-delay=2s",
        ),
    )
    try:
        with contextlib.ExitStack() as running:
            for command in starts:
                log = folder / f"{Path(command[0]).stem}.log"
                running.enter_context(server(command, log, receiver.url))
            stack = MonitoringStack(f"http://{prometheus}", receiver)
            eventually(lambda: is_there(f"{stack.prometheus}/-/ready"))
            eventually(lambda: is_there(f"http://{alertmanager}/-/ready"))
            yield stack
    finally:
        receiver.close()


@contextlib.contextmanager
def server(command: Sequence[str], log: Path, webhook: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "ALERT_WEBHOOK_URL": webhook},
        )
    try:
        yield
    finally:
        stop(process)


def is_there(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
