"""Runners: company is shared, never waited for, and never harmful."""

import asyncio
from typing import Any

import msgspec
import pytest

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.decisions import Decision
from credit_scoring.serving.runners import InProcessRunner


@pytest.fixture
def one(decoder: RequestDecoder, approved: dict[str, Any]) -> Application:
    return decoder.decode(msgspec.json.encode(approved))


@pytest.fixture
def broken(decoder: RequestDecoder, breaking: dict[str, Any]) -> Application:
    return decoder.decode(msgspec.json.encode(breaking))


async def submit(
    runner: InProcessRunner, applications: list[Application], *, explain: bool = False
) -> list[Decision | BaseException]:
    return await asyncio.gather(
        *(runner.submit(a, explain=explain) for a in applications),
        return_exceptions=True,
    )


def test_applications_that_arrive_together_are_computed_together(
    runner: InProcessRunner, engine_calls: list[int], one: Application
) -> None:
    decisions = asyncio.run(submit(runner, [one] * 7))
    assert engine_calls == [7]
    assert len({decision.pd for decision in decisions}) == 1  # type: ignore[union-attr]


def test_one_alone_is_computed_at_once(
    runner: InProcessRunner, engine_calls: list[int], one: Application
) -> None:
    async def alone() -> int:
        turns = 0
        task = asyncio.ensure_future(runner.submit(one, explain=False))
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(alone()) <= 3
    assert engine_calls == [1]


def test_a_crowd_is_computed_in_parts(
    runner: InProcessRunner, engine_calls: list[int], one: Application
) -> None:
    decisions = asyncio.run(submit(runner, [one] * 150))
    assert engine_calls == [64, 64, 22]
    assert len(decisions) == 150


def test_only_those_who_asked_get_reasons(
    runner: InProcessRunner, one: Application
) -> None:
    async def both() -> tuple[Decision, Decision]:
        return await asyncio.gather(
            runner.submit(one, explain=True), runner.submit(one, explain=False)
        )

    asked, other = asyncio.run(both())
    assert asked.reasons
    assert not other.reasons


def test_one_that_fails_harms_no_other(
    runner: InProcessRunner, one: Application, broken: Application
) -> None:
    first, second, third = asyncio.run(submit(runner, [one, broken, one]))
    assert isinstance(first, Decision)
    assert isinstance(second, ZeroDivisionError)
    assert isinstance(third, Decision)


def test_one_who_left_does_not_disturb_the_others(
    runner: InProcessRunner, one: Application
) -> None:
    async def leave() -> Decision:
        leaving = asyncio.ensure_future(runner.submit(one, explain=False))
        staying = asyncio.ensure_future(runner.submit(one, explain=False))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(leave()).decision == "approve"


def test_nothing_is_computed_for_nobody(
    runner: InProcessRunner, engine_calls: list[int]
) -> None:
    assert runner.compute([], explain=False) == []
    assert engine_calls == []
