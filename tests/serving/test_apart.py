"""A runner apart: company is shared, and nobody waits longer than said."""

import asyncio
import threading
import time
from typing import Any

import msgspec
import pytest

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.decisions import Decision
from credit_scoring.serving.apart import Patience, RunnerApart
from credit_scoring.serving.left_out import LeftOutError, kind_of

from .conftest import Challenger

PATIENCE = Patience(timeout_ms=300, most_waiting=100)


@pytest.fixture
def one(decoder: RequestDecoder, approved: dict[str, Any]) -> Application:
    return decoder.decode(msgspec.json.encode(approved))


async def submit(
    runner: RunnerApart, number: int, one: Application, *, explain: bool = False
) -> list[Any]:
    return await asyncio.gather(
        *(runner.submit(one, explain=explain) for _ in range(number)),
        return_exceptions=True,
    )


def kinds(outcomes: list[Any]) -> list[str]:
    return [
        "decided" if isinstance(outcome, Decision) else kind_of(outcome)
        for outcome in outcomes
    ]


def test_it_decides_as_the_runner_inside(
    challenger: Challenger, one: Application
) -> None:
    apart = RunnerApart(challenger, PATIENCE)
    assert apart.model is challenger.model
    assert apart.engine is challenger.engine
    (decision,) = asyncio.run(submit(apart, 1, one, explain=True))
    assert [decision] == challenger.inner.compute([one], explain=True)


def test_those_who_come_while_it_computes_are_computed_together(
    challenger: Challenger, one: Application, challenger_calls: list[int]
) -> None:
    challenger.seconds = 0.05
    apart = RunnerApart(challenger, PATIENCE)
    assert kinds(asyncio.run(submit(apart, 70, one))) == ["decided"] * 70
    assert challenger_calls == [1, 64, 5]


def test_the_event_loop_goes_on_while_it_computes(
    challenger: Challenger, one: Application
) -> None:
    challenger.seconds = 0.2
    apart = RunnerApart(challenger, PATIENCE)

    async def turns() -> int:
        task = asyncio.ensure_future(apart.submit(one, explain=False))
        count = 0
        while not task.done():
            await asyncio.sleep(0.001)
            count += 1
        return count

    assert asyncio.run(turns()) > 20


def test_one_that_raises_says_so_to_those_it_concerns(
    challenger: Challenger, one: Application
) -> None:
    challenger.error = ZeroDivisionError("666")
    apart = RunnerApart(challenger, PATIENCE)
    assert kinds(asyncio.run(submit(apart, 3, one))) == ["failed"] * 3
    assert kinds(apart.compute([one] * 3, explain=False)) == ["failed"] * 3


def test_one_that_hangs_is_waited_for_once_and_comes_back(
    challenger: Challenger, one: Application
) -> None:
    challenger.hangs = True
    apart = RunnerApart(challenger, PATIENCE)

    async def hang() -> tuple[list[str], list[str], float, list[str]]:
        first = kinds(await submit(apart, 2, one))
        started = time.monotonic()
        next_ones = kinds(await submit(apart, 50, one))
        took = time.monotonic() - started
        challenger.hangs = False
        challenger.let_go.set()
        while kinds(await submit(apart, 1, one)) != ["decided"]:
            await asyncio.sleep(0.01)
        return first, next_ones, took, kinds(await submit(apart, 2, one))

    first, next_ones, took, again = asyncio.run(hang())
    assert first == ["slow"] * 2
    assert next_ones == ["stuck"] * 50
    assert took < 0.2
    assert again == ["decided"] * 2


def test_a_batch_waits_once_for_one_that_hangs(
    challenger: Challenger, one: Application
) -> None:
    challenger.hangs = True
    apart = RunnerApart(challenger, PATIENCE)
    started = time.monotonic()
    assert (
        kinds(apart.compute([one] * 200, explain=False))
        == ["slow"] * 64 + ["stuck"] * 136
    )
    assert time.monotonic() - started < 2


def test_a_batch_is_computed_in_parts(
    challenger: Challenger, one: Application, challenger_calls: list[int]
) -> None:
    apart = RunnerApart(challenger, PATIENCE)
    outcomes = apart.compute([one] * 130, explain=False)
    assert outcomes == challenger.inner.compute([one] * 130, explain=False)
    assert challenger_calls == [64, 64, 2, 130]


def test_too_many_are_refused_at_once(challenger: Challenger, one: Application) -> None:
    challenger.seconds = 0.05
    apart = RunnerApart(challenger, Patience(timeout_ms=5000, most_waiting=3))
    # One is being computed; three wait.
    assert kinds(asyncio.run(submit(apart, 6, one))) == [
        *["decided"] * 4,
        *["lagging"] * 2,
    ]


def test_after_its_service_did_not_answer_it_is_spared_for_a_while(
    challenger: Challenger, one: Application
) -> None:
    now = 0.0
    apart = RunnerApart(challenger, PATIENCE, clock=lambda: now)
    challenger.error = LeftOutError("unavailable")
    assert kinds(asyncio.run(submit(apart, 1, one))) == ["unavailable"]
    challenger.error = None
    assert kinds(asyncio.run(submit(apart, 1, one))) == ["unavailable"]
    assert kinds(apart.compute([one], explain=False)) == ["unavailable"]
    now = 1.1
    assert kinds(asyncio.run(submit(apart, 1, one))) == ["decided"]


def test_those_who_have_left_are_not_computed(
    challenger: Challenger, one: Application, challenger_calls: list[int]
) -> None:
    challenger.seconds = 0.1
    apart = RunnerApart(challenger, PATIENCE)

    async def leave() -> None:
        tasks = [
            asyncio.ensure_future(apart.submit(one, explain=False)) for _ in range(5)
        ]
        await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert kinds(await submit(apart, 1, one)) == ["decided"]

    asyncio.run(leave())
    assert challenger_calls == [1, 1]


def test_an_ending_process_is_not_disturbed_by_a_late_outcome(
    challenger: Challenger, one: Application
) -> None:
    """The loop is closed before the computation ends."""
    challenger.hangs = True
    apart = RunnerApart(challenger, Patience(timeout_ms=20, most_waiting=5))
    assert kinds(asyncio.run(submit(apart, 1, one))) == ["slow"]
    failed: list[object] = []
    threading.excepthook, before = failed.append, threading.excepthook
    try:
        challenger.let_go.set()
        time.sleep(0.1)
    finally:
        threading.excepthook = before
    assert not failed
