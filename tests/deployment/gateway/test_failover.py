"""What the gateway does when a server is away, breaks off, or has too much to do."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from credit_scoring.decision_log.reader import read_decisions
from credit_scoring.serving.local_server import HOST, free_port

from .conftest import new_key
from .running import Gateway, Upstream, wait_until

SERVER = Path(__file__).parents[2] / "serving" / "lender_server.py"
APPLICATION = {"loan_id": "L-1", "amount": 100, "days_late_1": 0}


class Pair:
    """A gateway before two servers, each of which can be there or not."""

    def __init__(self, folder: Path, module: str) -> None:
        self.servers = [Upstream(free_port()), Upstream(free_port())]
        addresses = tuple(f"{HOST}:{one.port}" for one in self.servers)
        self.gateway = Gateway(folder, addresses)
        self.gateway.prepare(module)
        words = ("--roles", "score,monitor", "--rate", "high")
        self.key = new_key(self.gateway, "bank", *words)

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        headers["Authorization"] = f"Bearer {self.key}"
        with self.gateway.client() as web:
            return web.request(method, path, headers=headers)

    @property
    def sent(self) -> list[int]:
        """How many requests each server got."""
        return [len(one.seen) for one in self.servers]


@pytest.fixture
def pair(module: str, tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path / "gateway", module)
    with pair.gateway.running():
        yield pair


def test_a_server_that_is_away_costs_no_request(pair: Pair) -> None:
    with pair.servers[1].running():
        statuses = [pair.ask("POST", "/predict").status_code for _ in range(6)]
    assert statuses == [200] * 6
    assert pair.sent == [0, 6]


def test_a_decision_that_may_have_been_made_is_not_asked_for_again(pair: Pair) -> None:
    """Both break off after they have read the request: it reaches one of them."""
    with ExitStack() as stack:
        for server in pair.servers:
            stack.enter_context(server.running())
            server.behaviour = "drop"
        answer = pair.ask("POST", "/predict")
    assert answer.status_code == 502
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"].endswith(":service-unreachable")
    assert sum(pair.sent) == 1


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/monitoring", {}),
        ("POST", "/predict", {"Idempotency-Key": "k-1"}),
    ],
)
def test_what_may_be_repeated_is_asked_of_the_other(
    pair: Pair, method: str, path: str, headers: dict[str, str]
) -> None:
    with ExitStack() as stack:
        for server in pair.servers:
            stack.enter_context(server.running())
        pair.servers[0].behaviour = "drop"
        # Each is the first of its worker at some time.
        statuses = [pair.ask(method, path, **headers).status_code for _ in range(4)]
    assert statuses == [200] * 4
    assert pair.sent[0] >= 1
    assert pair.sent[1] == 4


def test_under_a_key_an_overloaded_server_is_passed_over(pair: Pair) -> None:
    with ExitStack() as stack:
        for server in pair.servers:
            stack.enter_context(server.running())
        pair.servers[0].behaviour = "refuse"
        keyed = [
            pair.ask("POST", "/predict", **{"Idempotency-Key": f"k-{n}"}).status_code
            for n in range(4)
        ]
    assert keyed == [200] * 4


def test_with_nobody_there_the_answer_is_a_problem(pair: Pair) -> None:
    answer = pair.ask("POST", "/predict")
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"


def test_a_server_that_comes_back_is_asked_again(pair: Pair) -> None:
    with pair.servers[1].running():
        assert pair.ask("POST", "/predict").status_code == 200
        with pair.servers[0].running():
            wait_until(
                lambda: (pair.ask("POST", "/predict"), pair.sent[0])[1] > 0,
                "the first server is asked",
            )


def test_a_reload_loses_no_request(pair: Pair) -> None:
    """For a new certificate or new addresses; keys need no reload."""
    statuses: list[int] = []
    done = threading.Event()

    def ask_on() -> None:
        while not done.is_set():
            statuses.append(pair.ask("POST", "/predict").status_code)

    with pair.servers[0].running(), pair.servers[1].running():
        asking = threading.Thread(target=ask_on)
        asking.start()
        try:
            for round_ in range(3):
                before = len(statuses)
                wait_until(lambda b=before: len(statuses) > b + 3, f"round {round_}")
                subprocess.run(
                    pair.gateway.command("-s", "reload"), check=True, timeout=30
                )
        finally:
            done.set()
            asking.join()
    assert set(statuses) == {200}


def test_a_request_id_reaches_the_decision_log(module: str, tmp_path: Path) -> None:
    """Through the real gateway to the real service, alone and in a batch."""
    decisions, port = tmp_path / "decisions", free_port()
    gateway = Gateway(tmp_path / "gateway", (f"{HOST}:{port}",))
    gateway.prepare(module)
    key = new_key(gateway, "bank", "--roles", "score", "--rate", "high")
    command = [sys.executable, str(SERVER), str(decisions), str(port)]
    service = subprocess.Popen(command)
    ids = ["single-1", "batch-2"]
    try:
        with gateway.running(), gateway.client() as web:

            def ask(path: str, body: object, request_id: str) -> int:
                headers = {"Authorization": f"Bearer {key}", "X-Request-Id": request_id}
                return web.post(path, json=body, headers=headers).status_code

            wait_until(
                lambda: ask("/predict", APPLICATION, ids[0]) == 200,
                "the service decides",
                seconds=60,
            )
            rows = [APPLICATION, {**APPLICATION, "loan_id": "L-2"}]
            assert ask("/predict/batch", rows, ids[1]) == 200
    finally:
        service.terminate()
        service.wait(30)
    logged = [one.entry.request_id for one in read_decisions(decisions)]
    assert logged == [ids[0], ids[1], ids[1]]
