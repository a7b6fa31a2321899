"""SIGTERM: readiness goes first, everything is answered, then the process ends."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from credit_scoring.serving.draining import Draining
from credit_scoring.serving.local_server import HOST, free_port

# An app that takes as long as the path says, behind the front door.
SERVER = """
import asyncio, sys, uvicorn
from credit_scoring.serving.app import FrontDoor
from credit_scoring.serving.draining import Draining

async def behind(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind == "lifespan.shutdown":
                print("shut down", flush=True)
                return
    await answer(send)

async def answer(send):
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

async def ours(scope, receive, send):
    await asyncio.sleep(float(scope["path"].strip("/")))
    await answer(send)

paths = {"/readyz": frozenset({"GET"}), "/livez": frozenset({"GET"})}
front = FrontDoor(lambda: ours, behind=behind, paths_behind=paths,
                  draining=Draining(lambda: float(sys.argv[2])))
uvicorn.run(front, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


class Server:
    def __init__(self, drain_seconds: float) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(self.port), str(drain_seconds)],
            stdout=subprocess.PIPE,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if self.get("/readyz") == (200, None):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server did not start")

    def get(self, path: str) -> tuple[int, str | None]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status, response.getheader("connection")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)

    def ended(self) -> bytes:
        return self.process.communicate(timeout=60)[0]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server(getattr(request, "param", 1.5))
    yield made
    made.process.kill()
    made.process.communicate()


def test_everything_is_answered_while_readiness_is_off(server: Server) -> None:
    assert server.get("/0") == (200, None)
    server.terminate()
    assert server.get("/readyz") == (503, "close")
    assert server.get("/livez") == (200, "close")
    assert server.get("/0") == (200, "close")
    assert b"shut down" in server.ended()


def test_what_has_begun_is_finished(server: Server) -> None:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    connection.request("GET", "/4")
    time.sleep(0.2)
    server.terminate()
    assert connection.getresponse().read() == b"ok"
    connection.close()
    assert b"shut down" in server.ended()


def test_a_connection_accepted_last_is_answered(server: Server) -> None:
    """It is there when the listener closes, and its request comes a moment later."""
    server.process.send_signal(signal.SIGTERM)
    time.sleep(1.35)
    with socket.create_connection((HOST, server.port), timeout=60) as connection:
        time.sleep(0.35)
        connection.sendall(b"GET /0 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert b"shut down" in server.ended()


@pytest.mark.parametrize("server", [30.0], indirect=True)
def test_whoever_asks_twice_is_in_a_hurry(server: Server) -> None:
    started = time.monotonic()
    server.terminate()
    server.terminate()
    assert b"shut down" in server.ended()
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("server", [0.0], indirect=True)
def test_no_time_to_drain_is_no_wait(server: Server) -> None:
    started = time.monotonic()
    server.terminate()
    assert b"shut down" in server.ended()
    assert time.monotonic() - started < 5


def test_without_a_server_that_would_shut_down_nothing_is_taken_over() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        Draining(float).install()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
