"""A client that sends mixed traffic at a given rate, and forgives nothing."""

import json
import select
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Any, NamedTuple, Self

from credit_scoring.serving.local_server import HOST

Row = dict[str, Any]

_HEAD_END = b"\r\n\r\n"
_LOOK_EVERY_SECONDS = 0.5
_PATIENCE_SECONDS = 30.0
_KEYS_REPEATED = 100


class Sent(NamedTuple):
    """A request that was sent.

    Attributes:
        due: When it should have been sent; its latency counts from there.
        status: The start of the answer that is right.
        closes: The client asked for the connection to be closed.
    """

    due: float
    status: bytes
    closes: bool


@dataclass
class Part:
    """What was seen in a span of time.

    Attributes:
        seconds: How long it was.
        latencies: Of the requests that were answered rightly, in seconds.
        failed: How many were not.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def rate(self) -> float:
        """Requests answered rightly in a second."""
        return len(self.latencies) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """Give the latency in ms that this share of the requests did not exceed."""
        if not self.latencies:
            return 0.0
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Traffic:
    """Requests of all kinds, one after another, the same in every run."""

    def __init__(self, rows: Sequence[Row], *, seed: int = 1) -> None:
        """Make requests of valid applications."""
        self._random = Random(seed)  # noqa: S311 - nothing is secret
        bodies = [json.dumps(row).encode() for row in rows]
        short = [
            json.dumps({name: row[name] for name in list(row)[:2]}).encode()
            for row in rows
        ]
        wrong = [
            json.dumps({**row, name: "x"}).encode()
            for row in rows
            for name in list(row)[1:]
        ]
        tens = [
            b"[" + b",".join([*bodies[n : n + 9], wrong[n]]) + b"]"
            for n in range(0, len(bodies) - 9, 10)
        ]
        self._bodies = bodies
        self._numbers = 0
        self._last_keys: deque[bytes] = deque(maxlen=_KEYS_REPEATED)
        kinds: list[tuple[float, Callable[[], tuple[bytes, bytes, bool]]]] = [
            (0.60, self._fixed([request(body) for body in bodies])),
            (0.10, self._fixed([request(b, path=b"/predict?reasons=true")
                                for b in bodies])),
            (0.10, self._fixed([request(body) for body in short])),
            (0.10, self._fixed([request(body) for body in wrong[:5000]], b" 400")),
            (0.03, self._fixed([request(b, path=b"/predict/batch") for b in tens])),
            (0.05, self._with_key),
            (0.02, self._fixed([request(b, b"Connection: close\r\n") for b in bodies],
                               closes=True)),
        ]  # fmt: skip
        self._weights, self._kinds = zip(*kinds, strict=True)

    def next(self) -> tuple[bytes, bytes, bool]:
        """Give a request, the right status, and whether it closes its connection."""
        (kind,) = self._random.choices(self._kinds, self._weights)
        made: tuple[bytes, bytes, bool] = kind()
        return made

    def _fixed(
        self, requests: list[bytes], status: bytes = b" 200", *, closes: bool = False
    ) -> Callable[[], tuple[bytes, bytes, bool]]:
        return lambda: (self._random.choice(requests), status, closes)

    def _with_key(self) -> tuple[bytes, bytes, bool]:
        """Repeat a request under its key, or make one with a new key."""
        if self._last_keys and self._random.random() < 0.5:
            return self._random.choice(self._last_keys), b" 200", False
        self._numbers += 1
        key = b"Idempotency-Key: soak-%d\r\n" % self._numbers
        made = request(self._random.choice(self._bodies), key)
        self._last_keys.append(made)
        return made, b" 200", False


def request(body: bytes, *headers: bytes, path: bytes = b"/predict") -> bytes:
    """Write a request."""
    return (
        b"POST %s HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n%s\r\n" % (path, len(body), b"".join(headers))
    ) + body


class PacedClient:
    """Sends on kept connections, and on new ones what closes its connection."""

    def __init__(self, port: int, traffic: Traffic, connections: int) -> None:
        """Connect."""
        self._port = port
        self._traffic = traffic
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        self._idle: deque[int] = deque()
        self._sent: dict[int, Sent] = {}
        self._got: dict[int, bytes] = {}
        self._part = Part()
        for _ in range(connections):
            self._idle.append(self._connect())

    def __enter__(self) -> Self:
        """Be used until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        for connection in self._open.values():
            connection.close()
        self._poll.close()

    def drive(
        self,
        seconds: float,
        *,
        rate: float | None,
        every: Callable[[], None] = lambda: None,
    ) -> Part:
        """Send for some time, and wait for the last answers.

        Args:
            seconds: How long.
            rate: Requests a second; None for as many as are answered.
            every: Called twice a second.
        """
        self._part = Part()
        started = due = looked = perf_counter()
        every()
        while (now := perf_counter()) < started + seconds:
            if now - looked > _LOOK_EVERY_SECONDS:
                looked = now
                every()
            while self._idle and (rate is None or due <= now):
                self._send(due if rate else now)
                due += 1 / rate if rate else 0.0
            self._read(max(0.0, due - now) if rate and self._idle else 0.1)
        gives_up = perf_counter() + _PATIENCE_SECONDS
        while self._sent and perf_counter() < gives_up:
            self._read(0.1)
        self._part.failed += len(self._sent)
        self._part.seconds = perf_counter() - started
        return self._part

    def _connect(self) -> int:
        connection = socket.create_connection((HOST, self._port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open[connection.fileno()] = connection
        self._poll.register(connection.fileno(), select.EPOLLIN)
        return connection.fileno()

    def _send(self, due: float) -> None:
        request, status, closes = self._traffic.next()
        place = self._connect() if closes else self._idle.popleft()
        self._sent[place] = Sent(due, status, closes)
        self._got[place] = b""
        try:
            self._open[place].sendall(request)
        except ConnectionError:
            self._lose(place)

    def _read(self, timeout: float) -> None:
        for place, _ in self._poll.poll(timeout):
            try:
                received = self._open[place].recv(262144)
            except ConnectionError:
                received = b""
            if not received:
                self._lose(place)
                continue
            answer = self._got.get(place, b"") + received
            self._got[place] = answer
            if is_complete(answer):
                self._take(place, answer)

    def _take(self, place: int, answer: bytes) -> None:
        sent = self._sent.pop(place)
        if answer[8:12] == sent.status:
            self._part.latencies.append(perf_counter() - sent.due)
        else:
            self._part.failed += 1
        if sent.closes:
            self._close(place)
        else:
            self._idle.append(place)

    def _lose(self, place: int) -> None:
        """Note a connection that the server has closed, and take another."""
        sent = self._sent.pop(place, None)
        self._part.failed += sent is not None
        self._close(place)
        if place in self._idle:
            self._idle.remove(place)
        if sent is None or not sent.closes:
            self._idle.append(self._connect())

    def _close(self, place: int) -> None:
        self._poll.unregister(place)
        self._open.pop(place).close()


def is_complete(answer: bytes) -> bool:
    """Tell whether an answer is whole; each of ours declares its length."""
    head = answer.find(_HEAD_END)
    if head < 0:
        return False
    place = answer.find(b"content-length: ", 0, head)
    length = int(answer[place + 16 : answer.find(b"\r\n", place)])
    return len(answer) >= head + len(_HEAD_END) + length
