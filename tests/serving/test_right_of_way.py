import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from credit_scoring.serving import right_of_way
from credit_scoring.serving.right_of_way import RightOfWay

LONG = 30.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that has worked for long waits for as long as a test may take."""
    monkeypatch.setattr(right_of_way, "_MOST_PATIENCE_SECONDS", LONG)


def worked_for(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.perf_counter
    monkeypatch.setattr(right_of_way.time, "perf_counter", lambda: now() + seconds)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


def test_nobody_waits_where_the_way_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    way = RightOfWay()
    worked_for(monkeypatch, LONG)
    waits: list[float] = []
    monkeypatch.setattr(way._free, "wait", waits.append)

    async def before_and_after() -> None:
        with way.for_a_batch():
            way.give()
            with way:
                way.give()
            # The way is free once what is to be done in this turn is done.
            await asyncio.sleep(0)
            way.give()

    asyncio.run(before_and_after())
    assert len(waits) == 1


def test_a_batch_waits_until_the_last_application_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    way = RightOfWay()
    worked_for(monkeypatch, LONG)
    over = threading.Event()

    async def two_applications() -> None:
        with ThreadPoolExecutor(1) as batch, way.for_a_batch():
            with way, way:
                batch.submit(lambda: (way.give(), over.set()))
                await asyncio.sleep(0.1)
                assert not over.is_set()
                answered = asyncio.get_running_loop().create_future()
                asyncio.get_running_loop().call_soon(answered.set_result, None)
            # Not before what is to be done in this turn is done.
            assert not over.is_set()
            await answered
            await until(over.is_set)

    asyncio.run(two_applications())


def test_a_batch_waits_no_longer_than_it_has_worked() -> None:
    way = RightOfWay()

    async def one_that_is_never_answered() -> None:
        with way:
            # It has worked for next to nothing.
            for _ in range(100):
                way.give()

    begun = time.perf_counter()
    asyncio.run(one_that_is_never_answered())
    # Else it would have waited for a hundred times as long as it may.
    assert time.perf_counter() - begun < LONG


def test_patience_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(right_of_way, "_MOST_PATIENCE_SECONDS", 0.01)
    way = RightOfWay()
    worked_for(monkeypatch, LONG)
    waits: list[float] = []
    wait = way._free.wait
    monkeypatch.setattr(
        way._free, "wait", lambda seconds: (waits.append(seconds), wait(seconds))
    )

    async def held() -> None:
        with way:
            way.give()
            way.give()

    asyncio.run(held())
    assert waits[0] == 0.01
    # What is left of it, and the little that was worked between.
    assert waits[1] < 0.005


def test_a_batch_goes_on_however_the_two_meet() -> None:
    """Each wait is ended by an answer: none lasts until patience ends."""
    way = RightOfWay()
    way._since -= 10 * LONG
    rounds = 2_000

    async def in_turns() -> None:
        with ThreadPoolExecutor(1) as batch, way.for_a_batch():
            done = batch.submit(lambda: [way.give() for _ in range(rounds)])
            while not done.done():
                with way:
                    pass
                await asyncio.sleep(0)

    begun = time.perf_counter()
    asyncio.run(in_turns())
    assert time.perf_counter() - begun < LONG
