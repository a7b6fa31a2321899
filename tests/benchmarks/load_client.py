"""A load generator: many applications over kept-alive connections, no pipelining.

It runs in a process of its own, pinned to a core of its own:

    python load_client.py PORT REQUESTS CONNECTIONS SECONDS

REQUESTS holds complete HTTP requests as a msgpack list of bytes. Each connection
has one request in flight and sends the next one as soon as it is answered. What
was found is printed as one line of JSON.
"""

import gc
import json
import select
import socket
import sys
from pathlib import Path
from time import perf_counter

import msgspec

HOST = "127.0.0.1"
_WARM_UP_SECONDS = 0.4
_HEAD_END = b"\r\n\r\n"


def main(port: int, requests: list[bytes], connections: int, seconds: float) -> None:
    """Load the server and print what it did."""
    warm = len(drive(port, requests, connections, _WARM_UP_SECONDS)[0])
    gc.collect()
    gc.disable()
    latencies, errors, took = drive(port, requests, connections, seconds)
    latencies.sort()
    print(  # noqa: T201 - read by the process that started this one
        json.dumps(
            {
                "requests": len(latencies),
                "with_warm_up": len(latencies) + warm,
                "errors": errors,
                "seconds": took,
                "p50_ms": 1000 * quantile(latencies, 0.50),
                "p99_ms": 1000 * quantile(latencies, 0.99),
                "worst_ms": 1000 * latencies[-1] if latencies else 0.0,
            }
        )
    )


def quantile(ordered: list[float], share: float) -> float:
    """Give the smallest value that at least this share does not exceed."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def drive(
    port: int, requests: list[bytes], connections: int, seconds: float
) -> tuple[list[float], int, float]:
    """Send requests for a while.

    Returns:
        Latencies of answers with status 200, in seconds; the number of other
        answers and broken connections; seconds it took.
    """
    poll = select.epoll()
    open_ = {s.fileno(): s for s in (_connect(port) for _ in range(connections))}
    sent = dict.fromkeys(open_, 0.0)
    part: dict[int, bytes] = dict.fromkeys(open_, b"")
    latencies: list[float] = []
    errors = 0
    number = 0
    started = perf_counter()
    end = started + seconds
    for place, connection in open_.items():
        poll.register(place, select.EPOLLIN)
        sent[place] = perf_counter()
        connection.send(requests[number % len(requests)])
        number += 1
    while (now := perf_counter()) < end and open_:
        for place, _ in poll.poll(max(0.0, end - now)):
            connection = open_[place]
            received = part[place] + _received(connection)
            if len(received) == len(part[place]):
                errors += 1
                poll.unregister(place)
                open_.pop(place).close()
                continue
            if not _complete(received):
                part[place] = received
                continue
            part[place] = b""
            now = perf_counter()
            if received.startswith(b"HTTP/1.1 200"):
                latencies.append(now - sent[place])
            else:
                errors += 1
            sent[place] = now
            connection.send(requests[number % len(requests)])
            number += 1
    took = perf_counter() - started
    for connection in open_.values():
        connection.close()
    return latencies, errors, took


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def _complete(received: bytes) -> bool:
    head = received.find(_HEAD_END)
    if head < 0:
        return False
    lowered = received[:head].lower()
    place = lowered.find(b"content-length:")
    if place < 0:  # sent in chunks
        return received.endswith(b"0\r\n\r\n")
    length = int(lowered[place + 15 : place + 27].split(b"\r", 1)[0])
    return len(received) >= head + 4 + length


if __name__ == "__main__":
    main(
        int(sys.argv[1]),
        msgspec.msgpack.decode(Path(sys.argv[2]).read_bytes(), type=list[bytes]),
        int(sys.argv[3]),
        float(sys.argv[4]),
    )
