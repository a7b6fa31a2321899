"""Answers in a real Redis-protocol server: kept, locked, and done without."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from prometheus_client import CollectorRegistry

from credit_scoring.serving import redis_answers
from credit_scoring.serving.assembly import Models, scoring_app
from credit_scoring.serving.idempotency import (
    Asked,
    Idempotency,
    Kept,
    LocalAnswers,
    SharedAnswersError,
    asked_for,
)
from credit_scoring.serving.idempotency_metrics import IdempotencyMetrics
from credit_scoring.serving.local_redis import server_binary
from credit_scoring.serving.local_server import HOST, free_port
from credit_scoring.serving.messages import Reply, decision_reply
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.redis_answers import RedisAnswers
from credit_scoring.serving.settings import Settings

ASKED = asked_for(b"key", b"body", explain=False)
OTHER = Asked(ASKED.name, b"o" * 32)


class Server:
    """A server with nothing on disk, which can be frozen and stopped."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://{HOST}:{self.port}/0"
        self.client = redis.Redis(host=HOST, port=self.port)
        self._folder = folder
        self.start()

    def start(self) -> None:
        command = [str(server_binary()), "--port", str(self.port), "--bind", HOST]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.01)
        raise AssertionError("the server did not start")

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def stop(self) -> None:
        self.client.close()
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    yield found
    found.stop()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def store(server: Server, clock: Clock, *, seconds: float = 60) -> RedisAnswers:
    return RedisAnswers(
        server.url, prefix="test:", seconds=seconds, timeout_ms=200, clock=clock
    )


def run(*stores: RedisAnswers, test: Coroutine[Any, Any, None]) -> None:
    async def closed() -> None:
        try:
            await test
        finally:
            for one in stores:
                await one.close()

    asyncio.run(closed())


def test_one_has_the_right_and_all_get_the_answer(server: Server, clock: Clock) -> None:
    one, two = store(server, clock), store(server, clock)

    async def test() -> None:
        assert await one.claim(ASKED) is None
        assert await two.claim(ASKED) == Kept(ASKED.digest, None)
        assert await two.claim(OTHER) == Kept(ASKED.digest, None)
        await one.keep(ASKED, b'{"answer": 1}')
        for worker in (one, two):
            assert await worker.claim(OTHER) == Kept(ASKED.digest, b'{"answer": 1}')

    run(one, two, test=test())
    (key,) = server.client.keys()
    assert key == b"test:" + ASKED.name.hex().encode()
    assert 59_000 < server.client.pttl(key) <= 60_000
    assert b"body" not in server.client.get(key)


def test_many_who_claim_at_once_are_one(server: Server, clock: Clock) -> None:
    stores = [store(server, clock) for _ in range(8)]

    async def test() -> None:
        claims = await asyncio.gather(*(one.claim(ASKED) for one in stores))
        assert claims.count(None) == 1

    run(*stores, test=test())


def test_a_right_given_up_can_be_taken(server: Server, clock: Clock) -> None:
    one, two = store(server, clock), store(server, clock)

    async def test() -> None:
        assert await one.claim(ASKED) is None
        await two.release(ASKED)  # it is not its own
        assert await two.claim(ASKED) is not None
        await one.release(ASKED)
        assert await two.claim(ASKED) is None

    run(one, two, test=test())


def test_a_right_ends_by_itself(server: Server, clock: Clock) -> None:
    one, two = store(server, clock), store(server, clock)

    async def test() -> None:
        assert await one.claim(ASKED) is None
        (key,) = server.client.keys()
        assert 2_000 < server.client.pttl(key) <= 3_000
        server.client.pexpire(key, 1)
        await asyncio.sleep(0.02)
        assert await two.claim(ASKED) is None
        with pytest.raises(SharedAnswersError, match="had ended"):
            await one.keep(ASKED, b"late")
        await two.keep(ASKED, b"answer")
        assert await one.claim(ASKED) == Kept(ASKED.digest, b"answer")

    run(one, two, test=test())


@pytest.fixture
def short_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_answers, "_LOCK_MS", 600)
    monkeypatch.setattr(redis_answers, "_RENEW_SECONDS", 0.05)


@pytest.mark.usefixtures("short_rights")
def test_a_right_lasts_as_long_as_it_is_held(server: Server, clock: Clock) -> None:
    one, two = store(server, clock), store(server, clock)

    async def test() -> None:
        assert await one.claim(ASKED) is None
        for _ in range(15):
            await asyncio.sleep(0.1)
            assert await two.claim(ASKED) == Kept(ASKED.digest, None)
        await one.keep(ASKED, b"answer")
        assert await two.claim(ASKED) == Kept(ASKED.digest, b"answer")
        # It is not renewed any more: it is an answer now, which is kept for long.
        await asyncio.sleep(0.2)
        (key,) = server.client.keys()
        assert server.client.pttl(key) > 50_000

    run(one, two, test=test())


@pytest.mark.usefixtures("short_rights")
def test_a_right_that_was_taken_over_is_not_renewed(
    server: Server, clock: Clock
) -> None:
    one, two = store(server, clock), store(server, clock)

    async def test() -> None:
        assert await one.claim(ASKED) is None
        (key,) = server.client.keys()
        server.client.delete(key)
        assert await two.claim(ASKED) is None
        two._let_go(ASKED)
        await asyncio.sleep(1)
        assert not server.client.keys()

    run(one, two, test=test())


HOLDER = """
import asyncio, sys
from credit_scoring.serving.idempotency import asked_for
from credit_scoring.serving.redis_answers import RedisAnswers

async def hold():
    store = RedisAnswers(sys.argv[1], prefix="test:", seconds=60, timeout_ms=5000)
    assert await store.claim(asked_for(b"key", b"body", explain=False)) is None
    print("held", flush=True)
    await asyncio.sleep(600)

asyncio.run(hold())
"""


def test_what_a_killed_worker_was_asked_is_answered_by_another(
    server: Server, clock: Clock, registry: CollectorRegistry
) -> None:
    command = [sys.executable, "-c", HOLDER, server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    two = store(server, clock)
    metrics = IdempotencyMetrics(registry)
    local = LocalAnswers(most=10, seconds=60, metrics=metrics)

    async def decide() -> Reply:
        return decision_reply(b"decided")

    async def test() -> None:
        # Within the time for which one waits for another's answer.
        reply = await Idempotency(local, metrics, two).answer(ASKED, decide)
        assert reply.body == b"decided"

    run(two, test=test())


def test_a_stranger_s_value_is_refused(server: Server, clock: Clock) -> None:
    one = store(server, clock)
    for stranger in (b"", b"x", b"L", b"A" + b"d" * 32, b"L" * 50):
        server.client.set(b"test:" + ASKED.name.hex().encode(), stranger)

        async def test() -> None:
            with pytest.raises(SharedAnswersError, match="not one of ours"):
                await one.claim(ASKED)

        run(one, test=test())


def test_a_frozen_server_costs_its_bound_once_and_then_nothing(
    server: Server, clock: Clock
) -> None:
    one = store(server, clock)

    async def test() -> None:
        assert await one.claim(ASKED) is None
        server.freeze()
        started = time.monotonic()
        with pytest.raises(SharedAnswersError, match="does not answer"):
            await one.keep(ASKED, b"answer")
        assert 0.1 < time.monotonic() - started < 1
        started = time.monotonic()
        for _ in range(100):
            with pytest.raises(SharedAnswersError, match="a moment ago"):
                await one.claim(ASKED)
        assert time.monotonic() - started < 0.1

    run(one, test=test())


def test_it_is_back_with_its_server(server: Server, clock: Clock) -> None:
    one = store(server, clock)

    async def test() -> None:
        assert await one.claim(ASKED) is None
        server.stop()
        with pytest.raises(SharedAnswersError, match="does not answer"):
            await one.keep(ASKED, b"answer")
        server.start()
        clock.now = 1.1
        assert await one.claim(ASKED) is None
        await one.keep(ASKED, b"answer")
        assert await one.claim(ASKED) == Kept(ASKED.digest, b"answer")

    run(one, test=test())


def test_a_server_that_never_was_is_done_without(clock: Clock) -> None:
    url = f"redis://{HOST}:{free_port()}/0"
    one = RedisAnswers(url, prefix="t:", seconds=1, timeout_ms=200, clock=clock)

    async def test() -> None:
        with pytest.raises(SharedAnswersError, match="does not answer"):
            await one.claim(ASKED)

    run(one, test=test())


def test_the_app_leaves_no_connection_behind(
    server: Server,
    models: Models,
    approved: dict[str, Any],
    registry: CollectorRegistry,
) -> None:
    app = scoring_app(models, Settings(redis_url=server.url), ServiceMetrics(registry))

    async def test() -> tuple[int, int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as web:
            headers = {"Idempotency-Key": "1"}
            answer = await web.post("/predict", json=approved, headers=headers)
        assert answer.status_code == 200
        before = len(server.client.client_list())
        await app.close()
        # The server hears of it a moment later. The one that stays is the test's own.
        deadline = time.monotonic() + 10
        while len(server.client.client_list()) > 1 and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        return before, len(server.client.client_list())

    before, after = asyncio.run(test())
    assert before > 1
    assert after == 1
