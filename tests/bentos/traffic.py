"""Steady traffic that never retries, and a switch that stands in for the gateway."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credit_scoring.decision_log.reader import read_decisions
from credit_scoring.serving.local_server import HOST, is_ready

JSON = {"content-type": "application/json"}
CHUNK = 65536


@dataclass
class Tally:
    """What clients have seen."""

    answered: int = 0
    failures: list[str] = field(default_factory=list)
    roles: set[str] = field(default_factory=set)
    decision_ids: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0

    @property
    def sent(self) -> int:
        return self.answered + len(self.failures)

    def lost(self, folder: Path) -> int:
        """Count the decisions answered that are not in the decision log."""
        logged = {one.entry.decision_id for one in read_decisions(folder)}
        return len(set(self.decision_ids) - logged)


def ask_until(
    end: threading.Event,
    port: int,
    rows: list[dict[str, Any]],
    *,
    tally: Tally,
    pause: float,
) -> None:
    """Ask on one connection as long as the server keeps it, then on a new one."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    number = 0
    while not end.is_set():
        row = rows[number % len(rows)]
        number += 1
        started = time.monotonic()
        try:
            connection.request("POST", "/predict", json.dumps(row), JSON)
            response = connection.getresponse()
            body = response.read()
            if response.status == 200:
                answer = json.loads(body)
                tally.answered += 1
                tally.roles.add(answer["model"]["role"])
                tally.decision_ids.append(answer["decision_id"])
            else:
                tally.failures.append(f"status {response.status}")
        except (OSError, http.client.HTTPException) as error:
            tally.failures.append(f"{type(error).__name__}: {error}")
            connection.close()
        taken = time.monotonic() - started
        tally.slowest_seconds = max(tally.slowest_seconds, taken)
        time.sleep(pause)
    connection.close()


@contextlib.contextmanager
def traffic(
    port: int, rows: list[dict[str, Any]], *, clients: int = 6, pause: float = 0.004
) -> Iterator[Tally]:
    """Keep asking from several clients while the block runs."""
    end, tally = threading.Event(), Tally()
    threads = [
        threading.Thread(
            target=ask_until,
            args=(end, port, rows),
            kwargs={"tally": tally, "pause": pause},
        )
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        end.set()
        for thread in threads:
            thread.join(60)


class Switch:
    """Passes each new connection to a server that says it is ready.

    It looks every now and then, as a gateway does; a connection that it has
    passed on stays where it is.
    """

    def __init__(self, ports: list[int], *, looks_every: float = 0.1) -> None:
        self._ready = list(ports)
        self._looks_every = looks_every
        self._ports = list(ports)
        self._end = threading.Event()
        self._listener = socket.create_server((HOST, 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._turn = 0
        for work in (self._accept, self._look):
            threading.Thread(target=work, daemon=True).start()

    def replace(self, old: int, new: int) -> None:
        """Know a server at another port from now on."""
        self._ports = [new if port == old else port for port in self._ports]

    def knows_ready(self) -> list[int]:
        """Ports that new connections go to."""
        return list(self._ready)

    def close(self) -> None:
        self._end.set()
        # A blocked accept is woken by a shutdown, not by a close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _look(self) -> None:
        while not self._end.wait(self._looks_every):
            self._ready = [port for port in self._ports if is_ready(port)]

    def _accept(self) -> None:
        while not self._end.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._turn += 1
            port = self._ready[self._turn % len(self._ready)]
            threading.Thread(target=join, args=(client, port), daemon=True).start()


def join(client: socket.socket, port: int) -> None:
    """Pass bytes both ways until both sides have no more."""
    with client, socket.create_connection((HOST, port)) as server:
        answers = threading.Thread(target=pass_on, args=(server, client), daemon=True)
        answers.start()
        pass_on(client, server)
        answers.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until the source has no more, and say so."""
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
