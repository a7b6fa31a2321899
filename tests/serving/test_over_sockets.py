"""What only a socket shows: pieces, limits, waiting, and many at once."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from credit_scoring.serving.app import FrontDoor, ScoringApp
from credit_scoring.serving.local_server import HOST

from .conftest import no_lifespan

HEAD = b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"


@pytest.fixture
def port(app: ScoringApp, serve: Callable[[Any], int]) -> int:
    return serve(FrontDoor(lambda: app, behind=no_lifespan, paths_behind={}))


def send(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send pieces, then read one whole answer."""
    with socket.create_connection((HOST, port), timeout=60) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        return answer_on(connection)


def answer_on(connection: socket.socket) -> bytes:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return b"%d " % response.status + response.read()


def with_length(row: Any) -> bytes:
    body = json.dumps(row).encode()
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_a_body_in_pieces_is_one_application(
    port: int, approved: dict[str, Any]
) -> None:
    whole = with_length(approved)
    pieces = [whole[start : start + 40] for start in range(0, len(whole), 40)]
    assert send(port, *pieces, pause=0.01).startswith(b"200 ")


def test_chunks_are_taken(port: int, approved: dict[str, Any]) -> None:
    body = json.dumps(approved).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    request = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    assert send(port, request).startswith(b"200 ")


def test_endless_chunks_are_refused_and_the_connection_goes_on(
    port: int, approved: dict[str, Any]
) -> None:
    with socket.create_connection((HOST, port), timeout=60) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(300):
            connection.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        assert answer_on(connection).startswith(b"413 ")
        connection.sendall(with_length(approved))
        assert answer_on(connection).startswith(b"200 ")


def test_a_large_declared_length_is_refused_before_it_is_sent(port: int) -> None:
    request = HEAD + b"Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n"
    assert send(port, request).startswith(b"413 ")


def test_a_body_that_never_comes_is_given_up(port: int) -> None:
    started = time.monotonic()
    assert send(port, HEAD + b"Content-Length: 50\r\n\r\n{").startswith(b"408 ")
    assert time.monotonic() - started < 5


def test_a_client_that_leaves_does_not_disturb_the_others(
    port: int, approved: dict[str, Any]
) -> None:
    for _ in range(5):
        connection = socket.create_connection((HOST, port), timeout=60)
        connection.sendall(HEAD + b"Content-Length: 50\r\n\r\n{")
        connection.close()
    assert send(port, with_length(approved)).startswith(b"200 ")


def test_many_at_once_each_get_their_own_answer(
    port: int, approved: dict[str, Any]
) -> None:
    def ask(number: int) -> list[tuple[str, str]]:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        given = []
        for turn in range(20):
            loan_id = f"T{number}-{turn}"
            body = json.dumps({**approved, "loan_id": loan_id})
            headers = {"content-type": "application/json"}
            connection.request("POST", "/predict", body, headers)
            answer = json.load(connection.getresponse())
            given.append((loan_id, answer["loan_id"]))
        connection.close()
        return given

    with ThreadPoolExecutor(20) as pool:
        answers = [pair for given in pool.map(ask, range(20)) for pair in given]
    assert len(answers) == 400
    assert all(asked == answered for asked, answered in answers)


def test_a_batch_does_not_keep_single_applications_waiting(
    port: int, approved: dict[str, Any]
) -> None:
    """While one batch is computed, others are answered and none is mixed up."""

    def batch() -> int:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        body = json.dumps([approved] * 20)
        headers = {"content-type": "application/json"}
        connection.request("POST", "/predict/batch", body, headers)
        rows = json.load(connection.getresponse())
        connection.close()
        return len(rows)

    with ThreadPoolExecutor(8) as pool:
        batches = [pool.submit(batch) for _ in range(16)]
        singles = [pool.submit(send, port, with_length(approved)) for _ in range(16)]
        assert [future.result() for future in batches] == [20] * 16
        assert all(future.result().startswith(b"200 ") for future in singles)
