"""HTTP by hand: bytes as they are given, and what comes back."""

import contextlib
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

from credit_scoring.serving.local_server import HOST

TIMEOUT_SECONDS = 30.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True)
class Answer:
    """One answer, as it came.

    Attributes:
        status: HTTP status code.
        head: Status line and headers.
        body: Without the framing of chunks.
    """

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """Give a header's value; None if it is not there."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.encode():
                return value.strip().decode("latin-1")
        return None


class ClosedError(Exception):
    """The server closed the connection where an answer was due."""


class Wire:
    """One connection, on which anything can be sent."""

    def __init__(self, port: int, *, timeout: float = TIMEOUT_SECONDS) -> None:
        """Connect."""
        self._socket = socket.create_connection((HOST, port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def send(self, pieces: Sequence[bytes], *, pause: float = 0.0) -> None:
        """Send pieces; a server that has closed meanwhile is no error."""
        with contextlib.suppress(ConnectionError):
            for number, piece in enumerate(pieces):
                if number:
                    time.sleep(pause)
                self._socket.sendall(piece)

    def half_close(self) -> None:
        """Say that nothing more will be sent."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave as a client does that has crashed."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def answer(self, *, to_head: bool = False) -> Answer:
        """Read one answer.

        Args:
            to_head: The request's method was HEAD, so there is no body.

        Raises:
            ClosedError: If the server closes before the answer is complete.
            TimeoutError: If it neither answers nor closes.
        """
        while True:
            head = self._until(b"\r\n\r\n")
            status = int(head[9:12])
            if status >= 200:  # 100 is on the way to an answer
                break
        answer = Answer(status, head, b"")
        if to_head or status in _NO_BODY:
            return answer
        length = answer.header("content-length")
        body = self._chunks() if length is None else self._exactly(int(length))
        return Answer(status, head, body)

    def _chunks(self) -> bytes:
        chunks = []
        while size := int(self._until(b"\r\n"), 16):
            chunks.append(self._exactly(size))
            self._exactly(2)
        self._exactly(2)
        return b"".join(chunks)

    def _until(self, end: bytes) -> bytes:
        while (place := self._rest.find(end)) < 0:
            self._receive()
        found = self._rest[:place]
        self._rest = self._rest[place + len(end) :]
        return found

    def _exactly(self, size: int) -> bytes:
        parts = [self._rest]
        have = len(self._rest)
        while have < size:
            self._rest = b""
            self._receive()
            parts.append(self._rest)
            have += len(self._rest)
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]

    def _receive(self) -> None:
        try:
            received = self._socket.recv(262144)
        except ConnectionError:
            received = b""
        if not received:
            raise ClosedError
        self._rest += received
