"""A Bento served on this machine for a while, and gone afterwards."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from credit_scoring.errors import CreditScoringError

HOST = "127.0.0.1"
_POLL_SECONDS = 0.1
_STOP_SECONDS = 15.0
_STOP_POLL_SECONDS = 0.02
_STRAGGLER_SECONDS = 2.0
_TAIL_LINES = 20


class ServerError(CreditScoringError, RuntimeError):
    """A server did not start."""


@dataclass(frozen=True)
class LocalServer:
    """How a Bento is served.

    Attributes:
        bento: Tag or folder of the Bento.
        log: File that takes the server's output.
        ready_seconds: Longest time from the start until it is ready.
    """

    bento: str
    log: Path
    ready_seconds: float = 90.0

    @contextlib.contextmanager
    def running(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        waiting: Callable[[float], None] = lambda seconds: None,
    ) -> Iterator[str]:
        """Serve on a free port until the block is left, however it is left.

        Args:
            environment: Variables besides this process's own.
            waiting: Told the seconds waited, every now and then.

        Yields:
            The server's address, e.g. ``http://127.0.0.1:40123``.

        Raises:
            ServerError: If it ends or is not ready in time; with its log's tail.
        """
        port = free_port()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            process = self._start(port, output.fileno(), environment or {})
        try:
            self._wait_until_ready(process, port, waiting)
            yield f"http://{HOST}:{port}"
        finally:
            stop(process)

    def _start(
        self, port: int, output: int, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bentoml", "serve", self.bento]
        # In a session of its own, Ctrl-C reaches this process alone, which then
        # stops the server in an orderly way.
        return subprocess.Popen(  # noqa: S603 - our own command, no shell
            [*command, "--host", HOST, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )

    def _wait_until_ready(
        self,
        process: subprocess.Popen[bytes],
        port: int,
        waiting: Callable[[float], None],
    ) -> None:
        started = time.monotonic()
        while not is_ready(port):
            waited = time.monotonic() - started
            if process.poll() is not None:
                raise ServerError(
                    f"the server ended with exit code {process.returncode} before it "
                    f"was ready; the end of {self.log}:\n{self._tail()}"
                )
            if waited > self.ready_seconds:
                raise ServerError(
                    f"the server was not ready after {waited:.0f} s; "
                    f"the end of {self.log}:\n{self._tail()}"
                )
            waiting(waited)
            time.sleep(_POLL_SECONDS)

    def _tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def is_ready(port: int) -> bool:
    """Ask the server whether it is ready to decide."""
    try:
        with urllib.request.urlopen(
            f"http://{HOST}:{port}/readyz", timeout=5
        ) as response:
            return bool(response.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server and everything it has started; nothing is left.

    BentoML's supervisor keeps its workers in sessions of their own, so a signal to
    its process group would miss them.
    """
    with _without_interruption():
        # Once it has ended nothing says any more which processes were its own.
        known = _family_of(process.pid)
        process.terminate()
        # The supervisor stops its workers; what outlives it is stopped one by one.
        family = _family_to_the_last(process, known)
        alive = _signal(family, psutil.Process.terminate, _STRAGGLER_SECONDS)
        _signal(alive, psutil.Process.kill, _STOP_SECONDS)
        process.wait()


def _family_to_the_last(
    process: subprocess.Popen[bytes], before: list[psutil.Process]
) -> list[psutil.Process]:
    """Wait for a server to end; give all that it had, however late it started them."""
    known = {member.pid: member for member in before}
    gives_up = time.monotonic() + _STOP_SECONDS
    while True:
        for member in _family_of(process.pid):
            known.setdefault(member.pid, member)
        if process.poll() is not None or time.monotonic() > gives_up:
            return list(known.values())
        time.sleep(_STOP_POLL_SECONDS)


def _signal(
    family: list[psutil.Process],
    send: Callable[[psutil.Process], None],
    seconds: float,
) -> list[psutil.Process]:
    """Signal processes and wait for them; give those that are still there."""
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            send(member)
    gives_up = time.monotonic() + seconds
    alive = family
    while alive := [member for member in alive if not has_ended(member)]:
        if time.monotonic() > gives_up:
            break
        time.sleep(_STOP_POLL_SECONDS)
    return alive


def has_ended(process: psutil.Process) -> bool:
    """Tell whether a process has ended, also while it is still listed.

    An orphan stays listed until the machine's first process asks how it ended; the
    first process of a bare container never does.
    """
    try:
        listed = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    return not listed


def _family_of(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


@contextlib.contextmanager
def _without_interruption() -> Iterator[None]:
    """Let an impatient second Ctrl-C not leave half of the processes behind."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not in the main thread, where no Ctrl-C arrives
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
