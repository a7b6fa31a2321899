"""A real Redis-protocol server that can be stopped, frozen, filled and broken."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.feature_store.observer import CircuitState, Fault
from credit_scoring.serving.local_redis import server_binary
from credit_scoring.serving.local_server import HOST, free_port

CONTRACT: dict[str, Any] = {
    "name": "small_lender",
    "version": 1,
    "title": "Small lender",
    "columns": {
        "loan_id": {
            "source": "ID",
            "type": "string",
            "role": "id",
            "pattern": "[A-Za-z0-9._-]{1,64}",
            "description": "Identifies the loan.",
        },
        "amount": {
            "source": "AMOUNT",
            "type": "number",
            "role": "application",
            "minimum": 0,
            "maximum": 1000,
            "description": "Amount asked for.",
        },
        "status_1": {
            "source": "STATUS",
            "type": "integer",
            "role": "history",
            "categories": {-1: "early", 0: "in time", 1: "late"},
            "description": "Status of the newest month.",
        },
        "balance_1": {
            "source": "BALANCE",
            "type": "number",
            "role": "history",
            "minimum": -1e6,
            "maximum": 1e6,
            "description": "Balance of the newest month.",
        },
        "bad": {
            "source": "BAD",
            "type": "integer",
            "role": "target",
            "description": "Defaulted.",
        },
    },
}


@pytest.fixture
def contract() -> Contract:
    return Contract.model_validate(CONTRACT)


@pytest.fixture
def decoder(contract: Contract) -> RequestDecoder:
    return RequestDecoder(contract)


@dataclass
class Recorder:
    """Remembers what the store told of itself."""

    hits: int = 0
    misses: int = 0
    written: int = 0
    dropped_: int = 0
    queue: int = 0
    questions: int = 0
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    states: list[CircuitState] = field(default_factory=list)

    def looked_up(self, *, hits: int, misses: int) -> None:
        self.hits += hits
        self.misses += misses

    def failed(self, operation: str, fault: Fault, histories: int) -> None:
        self.failures[operation, fault.value] += histories

    def read_in(self, seconds: float) -> None:
        self.questions += 1

    def circuit(self, state: CircuitState) -> None:
        self.states.append(state)

    def queued(self, length: int) -> None:
        self.queue = length

    def dropped(self, histories: int) -> None:
        self.dropped_ += histories

    def wrote(self, histories: int) -> None:
        self.written += histories


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


class RedisServer:
    """A server on a port of this machine, with nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://{HOST}:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [
                str(server_binary()),
                *("--port", str(self.port), "--bind", HOST, "--save", ""),
                *("--dir", str(self._folder), *options),
            ],
            stdout=subprocess.DEVNULL,
        )
        password = dict(zip(options[::2], options[1::2], strict=True))
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                with self.client(password.get("--requirepass")) as client:
                    client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.01)
        raise AssertionError("the server did not start")

    def client(self, password: str | None = None) -> Any:
        return redis.Redis(port=self.port, password=password)

    def freeze(self) -> None:
        os.kill(self._running.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._running.pid, signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Not started yet; stopped when the test ends, however it ends."""
    found = RedisServer(tmp_path)
    yield found
    found.stop()
