"""The load generator sends what it is given and counts what comes back."""

import socketserver
import threading
from collections.abc import Iterator

import pytest
from load_client import drive, quantile

ANSWER = b"HTTP/1.1 %d Said\r\nContent-Length: 2\r\n\r\nok"


class Server(socketserver.ThreadingTCPServer):
    """Answers requests over kept-alive connections, every third one with 503."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[bytes] = []
        self.connections = 0


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.connections += 1
        while self.rfile.readline():
            assert self.rfile.readline() == b"\r\n"
            bodies = self.server.bodies
            bodies.append(self.rfile.read(1))
            answer = ANSWER % (503 if len(bodies) % 3 == 0 else 200)
            # In two pieces, as large answers come.
            self.wfile.write(answer[:20])
            self.wfile.write(answer[20:])


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join(10)


def test_each_connection_has_one_request_at_a_time(server: Server) -> None:
    requests = [b"POST / HTTP/1.1\r\n\r\n" + body for body in (b"a", b"b", b"c")]
    port = server.server_address[1]
    latencies, errors, took = drive(port, requests, 4, 0.3)
    assert server.connections == 4
    assert set(server.bodies) == {b"a", b"b", b"c"}
    assert took >= 0.3
    assert errors > 0
    # What was asked last may not have been answered in time.
    assert 0 <= len(server.bodies) - len(latencies) - errors <= 4
    assert all(0 < latency < took for latency in latencies)


def test_quantiles_are_values_that_were_measured() -> None:
    ordered = [float(value) for value in range(1, 101)]
    assert quantile(ordered, 0.5) == 51
    assert quantile(ordered, 0.99) == 100
    assert quantile([], 0.99) == 0
