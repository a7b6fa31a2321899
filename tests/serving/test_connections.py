"""Connections that never bring a whole request, or too much of one."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from credit_scoring.serving.app import FrontDoor, ScoringApp
from credit_scoring.serving.connections import ConnectionBounds, HeadLimits
from credit_scoring.serving.local_server import HOST, free_port

from .conftest import no_lifespan

START = b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
MUCH = 50_000_000
LIMITS = HeadLimits(size_bytes=20_000, timeout_ms=300)


def served(app: Any, config_of: Any) -> Iterator[int]:
    """Serve on a socket, with bounds, as a worker does."""
    bounds = ConnectionBounds(lambda: LIMITS)
    servers: list[uvicorn.Server] = []
    door = FrontDoor(
        lambda: app,
        behind=no_lifespan,
        paths_behind={},
        on_start=lambda: bounds.bound(servers[0]),
    )
    port = free_port()
    config = config_of(door, port)
    servers.append(uvicorn.Server(config))
    thread = threading.Thread(target=servers[0].run)
    thread.start()
    while not servers[0].started:
        time.sleep(0.01)
    yield port
    servers[0].should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def usual(door: Any, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        door, host=HOST, port=port, log_config=None, timeout_keep_alive=1
    )


@pytest.fixture
def port(app: ScoringApp) -> Iterator[int]:
    yield from served(app, usual)


@pytest.fixture
def h11_port(app: ScoringApp) -> Iterator[int]:
    def config(door: Any, port: int) -> uvicorn.Config:
        return uvicorn.Config(door, host=HOST, port=port, log_config=None, http="h11")

    yield from served(app, config)


def connect(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=30)


def answer_on(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())


def whole(row: Any) -> bytes:
    body = json.dumps(row).encode()
    return START + b"Content-Length: %d\r\n\r\n" % len(body) + body


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_a_head_that_stops_is_given_up(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(START)
        status, problem = answer_on(connection)
        assert (status, problem["type"].rpartition(":")[2]) == (408, "head-too-slow")
        assert is_closed(connection)


def test_a_head_that_drips_is_given_up(port: int) -> None:
    with connect(port) as connection:
        for letter in START * 20:
            try:
                connection.sendall(bytes([letter]))
            except ConnectionError:
                break
            time.sleep(0.01)
        else:
            pytest.fail("the head went on for longer than it may")


def test_a_connection_without_a_request_is_closed(port: int) -> None:
    with connect(port) as connection:
        assert is_closed(connection)


def test_a_byte_after_an_answer_keeps_no_connection_open(
    port: int, approved: dict[str, Any]
) -> None:
    """Uvicorn stops its own timer at any byte, a line break before a request too."""
    with connect(port) as connection:
        connection.sendall(whole(approved))
        assert answer_on(connection)[0] == 200
        connection.sendall(b"\r\n")
        assert is_closed(connection)


def test_an_idle_connection_is_kept_as_long_as_the_server_says(
    port: int, approved: dict[str, Any]
) -> None:
    with connect(port) as connection:
        for _ in range(2):
            connection.sendall(whole(approved))
            assert answer_on(connection)[0] == 200
            time.sleep(0.7)  # more than a head's time, less than an idle one's
        connection.sendall(whole(approved))
        assert answer_on(connection)[0] == 200


@pytest.mark.parametrize("flood", [b"X: a\r\n", b"X-Long: " + b"a" * 4000 + b"\r\n"])
def test_a_flood_of_headers_is_refused(port: int, flood: bytes) -> None:
    with connect(port) as connection:
        status = flood_with(connection, START, flood)
        assert status in {431, 0}
    with connect(port) as connection:
        connection.sendall(START + flood * 20)
        time.sleep(0.05)
        connection.sendall(b"X: " + b"a" * 30_000)
        status, problem = answer_on(connection)
        assert (status, problem["type"].rpartition(":")[2]) == (431, "head-too-large")


def test_one_endless_header_is_refused(port: int) -> None:
    with connect(port) as connection:
        assert flood_with(connection, START + b"X: ", b"a" * 5000) in {431, 0}


def test_an_endless_path_is_refused(port: int) -> None:
    with connect(port) as connection:
        assert flood_with(connection, b"GET /", b"a" * 5000) in {431, 0}


def flood_with(connection: socket.socket, start: bytes, piece: bytes) -> int:
    """Send pieces until the server has had enough; 0 if it left meanwhile."""
    connection.sendall(start)
    for _ in range(20_000):
        try:
            connection.sendall(piece)
        except ConnectionError:
            return 0
    pytest.fail("all of it was taken")


def test_a_large_head_that_comes_at_once_is_no_reason_to_refuse(
    port: int, approved: dict[str, Any]
) -> None:
    with connect(port) as connection:
        more = b"X: " + b"a" * 10_000 + b"\r\n"
        connection.sendall(whole(approved).replace(b"Host: test\r\n", more))
        assert answer_on(connection)[0] == 200


def test_requests_far_ahead_of_their_answers_end_the_connection(
    port: int, approved: dict[str, Any]
) -> None:
    with connect(port) as connection:
        connection.settimeout(20)
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                connection.sendall(whole(approved) * 1000)
        while not is_closed(connection):
            pass
    with connect(port) as connection:
        connection.sendall(whole(approved) * 20)
        assert [answer_on_next(connection) for _ in range(20)] == [200] * 20


def answer_on_next(connection: socket.socket) -> int:
    """Read one answer and nothing of the next one."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while length:
        length -= len(connection.recv(length))
    return int(head[9:12])


def test_a_client_that_will_send_no_more_gets_its_answer(
    port: int, approved: dict[str, Any]
) -> None:
    with connect(port) as connection:
        connection.sendall(whole(approved))
        connection.shutdown(socket.SHUT_WR)
        assert answer_on(connection)[0] == 200
        assert is_closed(connection)


def test_half_a_request_and_no_more_is_no_request(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(START + b"Content-Length: 50\r\n\r\n{")
        connection.shutdown(socket.SHUT_WR)
        assert is_closed(connection)


async def flooding(scope: Any, receive: Any, send: Any) -> None:
    """Answer with more than any socket holds."""
    headers = [(b"content-length", b"%d" % MUCH)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"a" * MUCH})


def test_an_answer_that_nobody_takes_is_not_kept(approved: dict[str, Any]) -> None:
    for pause, whole_answer in ((3.0, False), (0.0, True)):
        with contextlib.contextmanager(served)(flooding, usual) as port:
            with connect(port) as connection:
                connection.sendall(whole(approved))
                time.sleep(pause)
                taken = 0
                with contextlib.suppress(ConnectionError):
                    while taken < MUCH and (piece := connection.recv(2**20)):
                        taken += len(piece)
            assert (taken >= MUCH) is whole_answer


def test_another_parser_keeps_its_own_bounds(
    h11_port: int, approved: dict[str, Any]
) -> None:
    with connect(h11_port) as connection:
        connection.sendall(whole(approved))
        assert answer_on(connection)[0] == 200


def test_without_a_server_there_is_nothing_to_bound() -> None:
    ConnectionBounds(lambda: LIMITS).install()
