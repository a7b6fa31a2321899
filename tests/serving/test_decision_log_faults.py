"""Real servers with real faults: what was answered is in the log, always."""

import http.client
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.decision_log.reader import read_decisions, verify_log
from credit_scoring.serving.local_server import HOST, free_port

pytestmark = [pytest.mark.end_to_end, pytest.mark.faults]

Row = dict[str, Any]
PROGRAM = Path(__file__).with_name("lender_server.py")
JSON = {"content-type": "application/json"}
SMALL_DISK_BYTES = 1 << 20


@dataclass
class Server:
    """A server of the small lender."""

    folder: Path
    options: tuple[str, ...] = ()
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, self.folder, str(self.port), *self.options],
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not self.listens():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def listens(self) -> bool:
        try:
            return self.get("/")[0] == 200
        except OSError:
            return False

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, body

    def post(self, body: Any, path: str = "/predict") -> tuple[int, Any, str | None]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        connection.request("POST", path, json.dumps(body), JSON)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer, response.headers["retry-after"]

    def limit_files(self, size_bytes: int) -> None:
        assert self.process is not None
        limits = (size_bytes, resource.RLIM_INFINITY)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, limits)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(30)


@dataclass
class Clients:
    """Clients that ask one after the other, and keep what they were answered."""

    server: Server
    body: Row
    answers: list[Row] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    cut: int = 0
    leaving: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, count: int) -> None:
        self.threads = [
            threading.Thread(target=self.ask, args=(n,)) for n in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def ask(self, number: int) -> None:
        connection = http.client.HTTPConnection(HOST, self.server.port, timeout=30)
        turn = 0
        try:
            while not self.leaving.is_set():
                turn += 1
                row = {**self.body, "loan_id": f"L{number}-{turn}"}
                batch = turn % 10 == 0
                connection.request(
                    "POST",
                    "/predict/batch" if batch else "/predict",
                    json.dumps([row] * 5 if batch else row),
                    JSON,
                )
                response = connection.getresponse()
                answer = json.loads(response.read())
                if response.status == 200:
                    self.answers += answer if batch else [answer]
                else:
                    self.refused.append(response.status)
        except (OSError, http.client.HTTPException):
            self.cut += 1  # the server was killed
        finally:
            connection.close()

    def wait_for_answers(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.answers) < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def join(self) -> None:
        self.leaving.set()
        for thread in self.threads:
            thread.join(60)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(folder: Path | None = None, *options: str) -> Server:
        server = Server(folder or tmp_path / "a log", options)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        if server.process is not None and server.process.poll() is None:
            server.signal(signal.SIGKILL)


def assert_all_logged(answers: list[Row], folder: Path) -> None:
    logged = {one.entry.decision_id: one.entry for one in read_decisions(folder)}
    lost = [a for a in answers if a["decision_id"] not in logged]
    assert not lost, f"{len(lost)} of {len(answers)} answered decisions are lost"
    for answer in answers:
        entry = logged[answer["decision_id"]]
        for name in ("loan_id", "pd", "score", "band", "decision"):
            assert getattr(entry, name) == answer[name]
    assert not verify_log(folder).faults


@pytest.mark.parametrize(
    ("options", "kills"), [((), 2), (("fsync",), 1)], ids=["no-fsync", "fsync"]
)
def test_a_killed_worker_loses_no_answered_decision(
    serve: Callable[..., Server],
    declined: Row,
    options: tuple[str, ...],
    kills: int,
    fault: Callable[..., None],
) -> None:
    answers: list[Row] = []
    cut = 0
    for _ in range(kills):
        server = serve(None, *options)
        clients = Clients(server, declined)
        clients.start(8)
        clients.wait_for_answers(200)
        server.signal(signal.SIGKILL)
        clients.join()
        answers += clients.answers
        cut += clients.cut
        assert_all_logged(answers, server.folder)
    last = serve(None, *options)
    status, answer, _ = last.post(declined)
    assert status == 200
    assert_all_logged([*answers, answer], last.folder)
    last.signal(signal.SIGTERM)
    report = verify_log(last.folder)
    states = [segment.state for segment in report.segments]
    assert states == ["ended"] * kills + ["closed"]
    fault(
        "worker killed" + (", answers wait for the disk" if options else ""),
        sent=len(answers) + cut,
        failed=cut,
        lost=0,
        seen=(
            f"cut while being asked; {report.records - 1} decisions in the log, "
            "nothing altered, the next start goes on"
        ),
    )


def assert_refused_but_alive(server: Server, body: Any, path: str = "/predict") -> None:
    status, problem, retry_after = server.post(body, path)
    assert status == 503
    assert problem["type"].endswith("decision-not-recorded")
    assert "decision_id" not in problem
    assert retry_after == "1"
    assert server.get("/")[0] == 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs"]
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(
        [mount, *options, folder], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_refuses_and_room_recovers(
    serve: Callable[..., Server],
    declined: Row,
    small_disk: Path,
    fault: Callable[..., None],
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (SMALL_DISK_BYTES // 2))
    folder = small_disk / "decisions"
    server = serve(folder)
    clients = Clients(server, declined)
    clients.start(4)
    deadline = time.monotonic() + 60
    while len(clients.refused) < 50 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(clients.refused) == {503}
    assert_refused_but_alive(server, [declined] * 50, "/predict/batch")
    assert_all_logged(list(clients.answers), folder)
    before = len(clients.answers)

    ballast.unlink()
    clients.wait_for_answers(before + 50)
    clients.join()
    assert_all_logged(clients.answers, folder)
    fault(
        "disk of the decision log full",
        sent=len(clients.answers) + len(clients.refused),
        failed=len(clients.refused),
        lost=0,
        seen="refused with 503 and Retry-After; goes on when there is room",
    )


def test_no_fault_of_the_disk_loses_a_decision_or_stops_the_service(
    serve: Callable[..., Server], declined: Row, fault: Callable[..., None]
) -> None:
    """Without the rights of root: files that may not grow, a folder that is gone."""
    server = serve()
    folder = server.folder
    answers = [server.post(declined)[1] for _ in range(5)]
    (segment,) = folder.glob("2*")
    # The first write is cut short within a line; another segment takes it.
    server.limit_files(segment.stat().st_size + 100)
    status, answer, _ = server.post(declined)
    assert status == 200
    assert len(list(folder.glob("2*"))) == 2
    answers.append(answer)
    server.limit_files(0)
    assert_refused_but_alive(server, declined)
    assert_refused_but_alive(server, [declined] * 3, "/predict/batch")
    assert_all_logged(answers, folder)
    server.limit_files(resource.RLIM_INFINITY)
    time.sleep(0.3)
    status, answer, _ = server.post(declined)
    assert status == 200
    assert_all_logged([*answers, answer], folder)

    shutil.rmtree(folder)
    time.sleep(0.1)
    assert_refused_but_alive(server, declined)
    assert not folder.exists()
    folder.mkdir()
    time.sleep(0.3)
    status, answer, _ = server.post(declined)
    assert status == 200
    assert_all_logged([answer], folder)
    fault(
        "write to the decision log cut short, refused, folder gone",
        sent=11,
        failed=3,
        lost=0,
        seen="refused with 503; another segment takes what was cut short",
    )


def test_a_folder_that_may_not_be_written_refuses_until_it_may(
    serve: Callable[..., Server], declined: Row, tmp_path: Path
) -> None:
    folder = tmp_path / "a log"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("root may write everywhere")
    server = serve(folder)
    assert_refused_but_alive(server, declined)
    folder.chmod(0o700)
    time.sleep(0.3)
    status, answer, _ = server.post(declined)
    assert status == 200
    assert_all_logged([answer], folder)
