"""Each fault of a real server, by name: answers go on, and recover by themselves."""

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.feature_store.observer import CircuitState
from credit_scoring.feature_store.reader import Limits
from credit_scoring.feature_store.store import HistoryStore, StoreSettings
from credit_scoring.feature_store.write_through import Retention

VERSION = "0123456789abcdef"
KEY = f"cs:test:{VERSION}:"
LIMITS = Limits(timeout_ms=50, connect_timeout_ms=500, retry_ms=50)
# What a busy machine may add to a wait.
SLACK_SECONDS = 0.1

Scenario = Callable[[HistoryStore], Awaitable[None]]


class Stage:
    """A server, and stores that use it, one after the other."""

    def __init__(
        self, contract: Contract, decoder: RequestDecoder, recorder: Any, server: Any
    ) -> None:
        self.recorder = recorder
        self.server = server
        self._contract = contract
        self._decoder = decoder

    def bare(self, loan_id: str) -> Application:
        return self._decoded(loan_id=loan_id, amount=100)

    def full(self, loan_id: str, balance: float = 12.5) -> Application:
        return self._decoded(loan_id=loan_id, amount=100, status_1=1, balance_1=balance)

    def _decoded(self, **body: Any) -> Application:
        return self._decoder.decode(json.dumps(body).encode())

    def run(
        self, scenario: Scenario, *, url: str = "", limits: Limits = LIMITS
    ) -> None:
        """Play a scenario with a store that is connected if the server runs."""

        async def whole() -> None:
            store = HistoryStore(
                StoreSettings(
                    url or self.server.url,
                    "test",
                    limits,
                    Retention(seconds_to_live=1000, queue_length=100, retry_ms=50),
                ),
                contract=self._contract,
                decoder=self._decoder,
                feature_version=VERSION,
                observer=self.recorder,
            )
            await store.start()
            try:
                await scenario(store)
            finally:
                await store.close()

        asyncio.run(whole())

    async def remembered(self, store: HistoryStore, *given: Application) -> None:
        """Have histories written, and wait until they are."""
        written = self.recorder.written
        for application in given:
            store.remember(application)
        await until(lambda: self.recorder.written == written + len(given))


@pytest.fixture
def stage(
    contract: Contract, decoder: RequestDecoder, recorder: Any, server: Any
) -> Stage:
    return Stage(contract, decoder, recorder, server)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    started = time.perf_counter()
    yield
    assert time.perf_counter() - started < seconds + SLACK_SECONDS


async def recovers(store: HistoryStore, application: Application) -> None:
    async with asyncio.timeout(5):
        while await store.complete(application) is None:
            await asyncio.sleep(0.01)


def test_a_history_written_through_completes_an_application(stage: Stage) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-1"))
        assert await store.complete(stage.bare("L-1")) == stage.full("L-1")
        assert await store.complete(stage.bare("L-2")) is None

    stage.run(scenario)
    assert (stage.recorder.hits, stage.recorder.misses) == (1, 1)
    assert not stage.recorder.failures
    with stage.server.client() as client:
        assert client.keys() == [f"{KEY}L-1".encode()]
        assert 990 < client.ttl(f"{KEY}L-1") <= 1000


def test_those_that_ask_at_once_ask_together(stage: Stage) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, *[stage.full(f"L-{n}", n) for n in range(60)])
        asked = [store.complete(stage.bare(f"L-{n}")) for n in range(60)]
        assert await asyncio.gather(*asked) == [
            stage.full(f"L-{n}", n) for n in range(60)
        ]

    stage.run(scenario)
    assert stage.recorder.questions == 1


def test_a_batch_is_asked_for_in_parts(stage: Stage) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-3"), stage.full("L-599"))
        found = await store.complete_many([stage.bare(f"L-{n}") for n in range(600)])
        assert {n for n, one in enumerate(found) if one} == {3, 599}
        assert found[599] == stage.full("L-599")

    stage.run(scenario)
    assert stage.recorder.questions == 3


def test_fault_down_from_the_start(stage: Stage) -> None:
    async def scenario(store: HistoryStore) -> None:
        async with within(0.01):
            assert await store.complete(stage.bare("L-1")) is None
        store.remember(stage.full("L-1"))
        await asyncio.get_running_loop().run_in_executor(None, stage.server.start)
        await recovers(store, stage.bare("L-1"))

    stage.run(scenario)
    assert stage.recorder.failures["read", "circuit_open"] > 0
    assert stage.recorder.failures["write", "connection"] > 0
    assert stage.recorder.states[0] is CircuitState.OPEN
    assert stage.recorder.states[-1] is CircuitState.CLOSED


def test_fault_down_while_it_is_used(stage: Stage) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-1"))
        stage.server.stop()
        for _ in range(10):
            async with within(0.05):
                assert await store.complete(stage.bare("L-1")) is None
        assert not store.circuit.is_closed
        store.remember(stage.full("L-1"))
        await asyncio.get_running_loop().run_in_executor(None, stage.server.start)
        await recovers(store, stage.bare("L-1"))

    stage.run(scenario)
    assert stage.recorder.failures["read", "connection"] == 3
    assert stage.recorder.failures["read", "circuit_open"] >= 7


def test_fault_frozen(stage: Stage) -> None:
    """SIGSTOP: the server takes connections and answers nothing."""
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-1"))
        stage.server.freeze()
        for _ in range(20):
            async with within(0.05):
                assert await store.complete(stage.bare("L-1")) is None
        async with within(0.05):
            asked = [store.complete(stage.bare("L-1")) for _ in range(100)]
            assert await asyncio.gather(*asked) == [None] * 100
        async with within(0.05):
            assert (
                await store.complete_many([stage.bare("L-1")] * 1000) == [None] * 1000
            )
        stage.server.thaw()
        await recovers(store, stage.bare("L-1"))
        assert await store.complete(stage.bare("L-1")) == stage.full("L-1")

    stage.run(scenario)
    assert stage.recorder.failures["read", "timeout"] == 3
    assert stage.recorder.states[0] is CircuitState.OPEN
    assert CircuitState.HALF_OPEN in stage.recorder.states


def test_fault_frozen_in_the_middle_of_a_batch(stage: Stage) -> None:
    """A batch of many parts waits for three of them at most."""
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        stage.server.freeze()
        async with within(3 * 0.05):
            found = await store.complete_many([stage.bare("L-1")] * 10_000)
        assert found == [None] * 10_000
        stage.server.thaw()

    stage.run(scenario)


def test_a_late_answer_meets_no_other_question(stage: Stage) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, *[stage.full(f"L-{n}", n) for n in range(50)])
        for n in range(50):
            if n % 10 == 0:
                stage.server.freeze()
                asyncio.get_running_loop().call_later(0.06, stage.server.thaw)
            found = await store.complete(stage.bare(f"L-{n}"))
            assert found in (None, stage.full(f"L-{n}", n))
            # A client that leaves in the middle of its question.
            left = asyncio.ensure_future(store.complete(stage.bare(f"L-{n}")))
            await asyncio.sleep(0)
            left.cancel()
        await recovers(store, stage.bare("L-7"))

    stage.run(scenario)
    assert stage.recorder.failures["read", "corrupt"] == 0


def test_fault_restarted_empty(stage: Stage) -> None:
    """The first question after a restart opens a new connection, and is answered."""
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-1"))
        stage.server.stop()
        stage.server.start()
        assert await store.complete(stage.bare("L-1")) is None
        await stage.remembered(store, stage.full("L-1"))
        assert await store.complete(stage.bare("L-1")) == stage.full("L-1")

    stage.run(scenario)
    assert stage.recorder.misses == 1
    assert not stage.recorder.failures
    assert stage.recorder.states == [] or set(stage.recorder.states) == {
        CircuitState.CLOSED
    }


def test_fault_full(stage: Stage) -> None:
    """With maxmemory reached and nothing to evict, reading goes on."""
    stage.server.start("--maxmemory-policy", "noeviction")

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-1"))
        with stage.server.client() as client:
            client.config_set("maxmemory", "1kb")
            store.remember(stage.full("L-2"))
            await until(lambda: stage.recorder.failures["write", "full"] > 0)
            assert await store.complete(stage.bare("L-1")) == stage.full("L-1")
            for n in range(150):
                store.remember(stage.full(f"N-{n}"))
            client.config_set("maxmemory", "0")
        await until(lambda: stage.recorder.written == 101)
        assert await store.complete(stage.bare("N-149")) == stage.full("N-149")
        assert await store.complete(stage.bare("N-0")) is None

    stage.run(scenario)
    assert stage.recorder.dropped_ == 51, "151 waited, 100 fit"
    assert stage.recorder.queue == 0


@pytest.mark.parametrize(
    ("kind", "break_"),
    [
        ("corrupt", lambda value: value[:20] + bytes([value[20] ^ 1]) + value[21:]),
        ("truncated", lambda value: value[:-3]),
        ("truncated", lambda value: b""),
        ("other_version", lambda value: b"\x02" + value[1:]),
        ("other_version", lambda value: value[:1] + b"12345678" + value[9:]),
        ("other_version", lambda value: b"\x00" * 1000),
    ],
)
def test_fault_unreadable_value(
    stage: Stage, kind: str, break_: Callable[[bytes], bytes]
) -> None:
    """A value that is corrupt, truncated or of another version harms no other."""
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-1"), stage.full("L-2"))
        with stage.server.client() as client:
            client.set(f"{KEY}L-1", break_(client.get(f"{KEY}L-1")))
        found = await store.complete_many([stage.bare("L-1"), stage.bare("L-2")])
        assert found == [None, stage.full("L-2")]
        await stage.remembered(store, stage.full("L-1"))
        assert await store.complete(stage.bare("L-1")) == stage.full("L-1")

    stage.run(scenario)
    assert stage.recorder.failures == {("read", kind): 1}
    assert stage.recorder.states == [], "the circuit stays closed"


def test_fault_another_loans_value(stage: Stage) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-1"))
        with stage.server.client() as client:
            client.set(f"{KEY}L-2", client.get(f"{KEY}L-1"))
        assert await store.complete(stage.bare("L-2")) is None

    stage.run(scenario)
    assert stage.recorder.failures == {("read", "corrupt"): 1}


def test_fault_another_type_under_the_key(stage: Stage) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        with stage.server.client() as client:
            client.lpush(f"{KEY}L-1", "x")
        assert await store.complete(stage.bare("L-1")) is None
        await stage.remembered(store, stage.full("L-1"))
        assert await store.complete(stage.bare("L-1")) == stage.full("L-1")

    stage.run(scenario)


def test_fault_wrong_password(stage: Stage) -> None:
    stage.server.start("--requirepass", "right")
    url = stage.server.url.replace("redis://", "redis://:wrong@")

    async def scenario(store: HistoryStore) -> None:
        store.remember(stage.full("L-1"))
        assert await store.complete(stage.bare("L-1")) is None
        await until(lambda: stage.recorder.failures["write", "refused"] > 0)
        with stage.server.client("right") as client:
            client.config_set("requirepass", "wrong")
        await recovers(store, stage.bare("L-1"))

    stage.run(scenario, url=url)
    assert stage.recorder.states[-1] is CircuitState.CLOSED


def test_fault_no_password(stage: Stage) -> None:
    stage.server.start("--requirepass", "right")

    async def scenario(store: HistoryStore) -> None:
        assert await store.complete(stage.bare("L-1")) is None

    stage.run(scenario)
    assert stage.recorder.states[0] is CircuitState.OPEN


def test_fault_not_allowed(stage: Stage) -> None:
    """A user who may read and not write: reading goes on."""
    stage.server.start()
    with stage.server.client() as client:
        client.execute_command(
            "ACL", "SETUSER", "reader", "on", ">pw", "~cs:*", "+mget"
        )
    url = stage.server.url.replace("redis://", "redis://reader:pw@")

    async def scenario(store: HistoryStore) -> None:
        store.remember(stage.full("L-1"))
        await until(lambda: stage.recorder.failures["write", "refused"] > 0)
        assert await store.complete(stage.bare("L-1")) is None

    stage.run(scenario, url=url)
    assert stage.recorder.misses == 1


def test_fault_became_a_replica(stage: Stage) -> None:
    """After a failover reading goes on, and each write looks for the primary anew."""
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-1"))
        with stage.server.client() as client:
            client.replicaof("127.0.0.1", 1)
            before = client.info("stats")["total_connections_received"]
            store.remember(stage.full("L-2"))
            failures = stage.recorder.failures
            await until(lambda: failures["write", "server"] >= 2)
            assert client.info("stats")["total_connections_received"] > before
            assert await store.complete(stage.bare("L-1")) == stage.full("L-1")
            client.replicaof("NO", "ONE")
        await until(lambda: stage.recorder.written == 2)

    stage.run(scenario)


def test_fault_connecting_takes_long(stage: Stage) -> None:
    """A host that drops packets: nobody waits for it longer than for an answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", port))

        async def scenario(store: HistoryStore) -> None:
            for _ in range(5):
                async with within(0.05):
                    assert await store.complete(stage.bare("L-1")) is None

        limits = Limits(timeout_ms=50, connect_timeout_ms=200, retry_ms=50)
        stage.run(scenario, url=f"redis://127.0.0.1:{port}", limits=limits)
        for filler in fillers:
            filler.close()
    assert stage.recorder.states[0] is CircuitState.OPEN


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*1\r\n$3\r\nabc\r\n*"]
)
def test_fault_no_redis_at_all(stage: Stage, answer: bytes) -> None:
    """Something listens that speaks otherwise, or answers what was not asked."""

    async def scenario(store: HistoryStore) -> None:
        assert await store.complete(stage.bare("L-1")) is None
        assert await store.complete_many([stage.bare("L-1"), stage.bare("L-2")]) == [
            None,
            None,
        ]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(answer)
        writer.close()

    started = threading.Event()
    ended = threading.Event()
    ports: list[int] = []

    async def listen() -> None:
        async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
            ports.append(listening.sockets[0].getsockname()[1])
            started.set()
            while not ended.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=asyncio.run, args=(listen(),))
    thread.start()
    started.wait(5)
    try:
        stage.run(scenario, url=f"redis://127.0.0.1:{ports[0]}")
    finally:
        ended.set()
        thread.join()
    assert sum(stage.recorder.failures.values()) >= 2


def test_no_log_line_has_a_loan_or_a_value(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stage.server.start("--maxmemory-policy", "noeviction")

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("SECRET-1", 98765.5))
        with stage.server.client() as client:
            client.set(f"{KEY}SECRET-1", b"broken")
            client.config_set("maxmemory", "1kb")
        store.remember(stage.full("SECRET-2", 98765.5))
        await store.complete(stage.bare("SECRET-1"))
        await until(lambda: stage.recorder.failures["write", "full"] > 0)
        stage.server.stop()
        for _ in range(5):
            await store.complete(stage.bare("SECRET-3"))
        await until(lambda: stage.recorder.failures["write", "connection"] > 0)

    stage.run(scenario)
    assert "takes no histories (full)" in caplog.text
    assert "does not answer (connection)" in caplog.text
    assert "SECRET" not in caplog.text
    assert "98765" not in caplog.text


def test_an_older_history_is_not_written_over_a_newer_one(
    stage: Stage, monkeypatch: Any
) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        await stage.remembered(store, stage.full("L-1", 2))
        real = time.time_ns
        with monkeypatch.context() as patch:
            patch.setattr(time, "time_ns", lambda: real() - 10**9)
            store.remember(stage.full("L-1", 1))
        await until(lambda: stage.recorder.written == 2)
        assert await store.complete(stage.bare("L-1")) == stage.full("L-1", 2)
        # What claims to be from the future is not believed.
        with monkeypatch.context() as patch:
            patch.setattr(time, "time_ns", lambda: real() + 3600 * 10**9)
            await stage.remembered(store, stage.full("L-1", 3))
        assert await store.complete(stage.bare("L-1")) == stage.full("L-1", 3)
        await stage.remembered(store, stage.full("L-1", 4))
        assert await store.complete(stage.bare("L-1")) == stage.full("L-1", 4)

    stage.run(scenario)


def test_of_one_loan_the_newest_history_alone_is_written(stage: Stage) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        for n in range(10):
            store.remember(stage.full("L-1", n))
        await until(lambda: stage.recorder.written == 1)
        assert await store.complete(stage.bare("L-1")) == stage.full("L-1", 9)

    stage.run(scenario)


def test_what_waits_is_written_before_the_end(stage: Stage) -> None:
    stage.server.start()

    async def scenario(store: HistoryStore) -> None:
        for n in range(90):
            store.remember(stage.full(f"L-{n}"))

    stage.run(scenario)
    assert stage.recorder.written == 90
    with stage.server.client() as client:
        assert client.dbsize() == 90


def test_what_cannot_be_written_before_the_end_is_counted(stage: Stage) -> None:
    async def scenario(store: HistoryStore) -> None:
        for n in range(7):
            store.remember(stage.full(f"L-{n}"))

    stage.run(scenario)
    assert stage.recorder.dropped_ == 7
