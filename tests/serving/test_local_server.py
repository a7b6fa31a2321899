"""A server started for a while leaves nothing behind, however it ends."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from credit_scoring.serving import local_server
from credit_scoring.serving.local_server import (
    LocalServer,
    ServerError,
    has_ended,
    stop,
)

# A supervisor with a worker in a session of its own, as BentoML has them.
WORKER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *arguments): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
SUPERVISOR = """
import subprocess, sys
print("supervisor started", flush=True)
port = sys.argv[sys.argv.index("--port") + 1]
command = [sys.executable, "-c", {worker!r}, port]
subprocess.Popen(command, start_new_session=True).wait()
"""


@pytest.fixture
def imitate(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in the place of ``python -m bentoml serve``."""

    def put(program: str) -> None:
        genuine = subprocess.Popen

        def popen(command: list[str], **options: object) -> subprocess.Popen[bytes]:
            changed = [sys.executable, "-c", program, *command[3:]]
            return genuine(changed, **options)  # type: ignore[call-overload]

        monkeypatch.setattr(local_server.subprocess, "Popen", popen)

    return put


Children = Callable[[], list[psutil.Process]]


@pytest.fixture
def children() -> Children:
    """What this test has started and is still there."""
    before = set(psutil.Process().children(recursive=True))

    def started() -> list[psutil.Process]:
        return [
            process
            for process in psutil.Process().children(recursive=True)
            if process not in before
        ]

    return started


def test_supervisor_and_worker_are_gone_afterwards(
    imitate: Callable[[str], None], children: Children, tmp_path: Path
) -> None:
    imitate(SUPERVISOR.format(worker=WORKER))
    server = LocalServer("some:bento", tmp_path / "logs" / "server.log")
    with server.running() as url:
        assert url.startswith("http://127.0.0.1:")
        family = children()
        assert len(family) >= 2
    assert all(has_ended(member) for member in family)
    assert "supervisor started" in (tmp_path / "logs" / "server.log").read_text()


def test_they_are_gone_when_the_block_fails(
    imitate: Callable[[str], None], children: Children, tmp_path: Path
) -> None:
    imitate(SUPERVISOR.format(worker=WORKER))
    family: list[psutil.Process] = []

    def fail() -> None:
        with LocalServer("some:bento", tmp_path / "log").running():
            family.extend(children())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert len(family) >= 2
    assert all(has_ended(member) for member in family)


def test_a_server_that_ends_at_once_says_why(
    imitate: Callable[[str], None], children: Children, tmp_path: Path
) -> None:
    imitate("import sys; print('no such Bento'); sys.exit(3)")
    server = LocalServer("some:bento", tmp_path / "log")
    with (
        pytest.raises(ServerError, match=r"(?s)exit code 3 .*no such Bento"),
        server.running(),
    ):
        pytest.fail("it must not get here")


def test_a_server_that_is_never_ready_is_given_up(
    imitate: Callable[[str], None], children: Children, tmp_path: Path
) -> None:
    imitate("import time; print('still loading', flush=True); time.sleep(60)")
    server = LocalServer("some:bento", tmp_path / "log", ready_seconds=0.5)
    told: list[float] = []
    with (
        pytest.raises(ServerError, match=r"(?s)not ready after .*still loading"),
        server.running(waiting=told.append),
    ):
        pytest.fail("it must not get here")
    assert told
    assert not children()


def test_an_orphan_whose_end_nobody_asks_for_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    listed = psutil.Process(process.pid)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert listed.is_running()
    assert has_ended(listed)
    process.wait()
    assert has_ended(listed)


def test_one_that_ignores_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_server, "_STOP_SECONDS", 0.3)
    monkeypatch.setattr(local_server, "_STRAGGLER_SECONDS", 0.1)
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('x', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    started = time.monotonic()
    stop(process)
    process.stdout.close()
    assert time.monotonic() - started < 5
    assert process.poll() is not None
