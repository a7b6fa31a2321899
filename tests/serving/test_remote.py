"""A runner in a service of its own: bounded, left out when away, and back by itself."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.decision.decisions import Decision
from credit_scoring.serving.apart import Patience
from credit_scoring.serving.left_out import LeftOutError, kind_of
from credit_scoring.serving.remote import (
    ChampionApart,
    RemoteRunner,
    RowFailedError,
)
from credit_scoring.serving.runner_channel import ChannelError, RunnerChannel
from credit_scoring.serving.runner_metrics import RunnerMetrics
from credit_scoring.serving.runner_service import decided_rows
from credit_scoring.serving.runner_wire import encoded_outcomes, path_of, read_rows
from credit_scoring.serving.runners import InProcessRunner

PATIENCE = Patience(timeout_ms=300, most_waiting=200)


@dataclass
class Service(RunnerChannel):
    """A runner's service that can be made to fail, to hang, or to be slow."""

    runner: InProcessRunner
    fault: Callable[[], Awaitable[None]] | None = None
    answer: bytes | None = None
    asked: list[int] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    at_once: int = 0
    most_at_once: int = 0
    closed: int = 0
    failed: list[Exception] = field(default_factory=list)

    async def ask(self, path: str, body: bytes) -> bytes:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if self.fault is not None:
                await self.fault()
            if self.answer is not None:
                return self.answer
            rows = read_rows(body, 2)
            self.asked.append(len(rows))
            self.paths.add(path)
            explain = path.endswith("explained")
            return encoded_outcomes(
                decided_rows(
                    self.runner.engine, rows, explain=explain, failed=self.failed.append
                )
            )
        finally:
            self.at_once -= 1

    def close(self) -> None:
        self.closed += 1


async def hang() -> None:
    await asyncio.sleep(3600)


async def refuse() -> None:
    raise ChannelError("away")


@pytest.fixture
def service(runner: InProcessRunner) -> Service:
    return Service(runner)


@pytest.fixture
def metrics(registry: CollectorRegistry) -> RunnerMetrics:
    return RunnerMetrics(registry)


@pytest.fixture
def remote(
    runner: InProcessRunner,
    decoder: RequestDecoder,
    service: Service,
    metrics: RunnerMetrics,
) -> RemoteRunner:
    return RemoteRunner(runner, decoder, service, patience=PATIENCE, metrics=metrics)


@pytest.fixture
def champion(
    remote: RemoteRunner, runner: InProcessRunner, metrics: RunnerMetrics
) -> ChampionApart:
    return ChampionApart(remote, runner, metrics)


@pytest.fixture
def applications(decoder: RequestDecoder) -> list[Application]:
    rows = [{"loan_id": f"L-{n}", "amount": n, "days_late_1": n} for n in range(150)]
    return [decoder.decode(msgspec.json.encode(row)) for row in rows]


@pytest.fixture
def one(applications: list[Application]) -> Application:
    return applications[0]


def run(
    remote: RemoteRunner, one: Application, work: Callable[[], Awaitable[Any]]
) -> Any:
    """Work in a loop in which the service was found."""

    async def started() -> Any:
        await remote.start(one, wait_seconds=5)
        assert not remote.is_away
        try:
            return await work()
        finally:
            await remote.close()

    return asyncio.run(started())


async def submitted(runner: Any, rows: list[Application], explain: bool = True) -> Any:
    return await asyncio.gather(
        *(runner.submit(row, explain=explain) for row in rows), return_exceptions=True
    )


def kinds(outcomes: list[Any]) -> list[str]:
    return [
        "decided" if isinstance(outcome, Decision) else kind_of(outcome)
        for outcome in outcomes
    ]


async def until_back(remote: RemoteRunner) -> None:
    deadline = time.monotonic() + 20
    while remote.is_away:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("explain", [False, True])
def test_decisions_are_those_of_the_runner_here_to_the_bit(
    remote: RemoteRunner,
    runner: InProcessRunner,
    service: Service,
    applications: list[Application],
    explain: bool,
) -> None:
    here = runner.compute(applications, explain=explain)

    async def both() -> Any:
        singles = await submitted(remote, applications, explain)
        batch = await asyncio.to_thread(remote.compute, applications, explain=explain)
        return singles, batch

    singles, batch = run(remote, applications[0], both)
    assert singles == here
    assert batch == here
    assert path_of("d" * 64, explain=explain) in service.paths


def test_those_who_come_together_go_together_and_one_alone_at_once(
    remote: RemoteRunner, service: Service, applications: list[Application]
) -> None:
    async def ask() -> None:
        service.asked.clear()
        await submitted(remote, applications[:1])
        await submitted(remote, applications)

    run(remote, applications[0], ask)
    assert service.asked == [1, 64, 64, 22]
    assert service.most_at_once == 2


def test_each_question_is_asked_with_its_kind(
    remote: RemoteRunner, runner: InProcessRunner, applications: list[Application]
) -> None:
    async def ask() -> Any:
        return await asyncio.gather(
            *(remote.submit(a, explain=n % 2 == 0) for n, a in enumerate(applications))
        )

    for n, decision in enumerate(run(remote, applications[0], ask)):
        assert [decision] == runner.compute([applications[n]], explain=n % 2 == 0)


def test_a_service_that_refuses_is_away_at_once_and_comes_back_by_itself(
    remote: RemoteRunner,
    service: Service,
    applications: list[Application],
    registry: CollectorRegistry,
) -> None:
    def away() -> float | None:
        labels = {"role": "champion"}
        return registry.get_sample_value("credit_scoring_runner_away", labels)

    async def ask() -> None:
        service.fault = refuse
        assert kinds(await submitted(remote, applications)) == ["unavailable"] * 150
        assert remote.is_away
        assert away() == 1
        assert kinds(await submitted(remote, applications)) == ["unavailable"] * 150
        service.fault = None
        await until_back(remote)
        assert kinds(await submitted(remote, applications)) == ["decided"] * 150
        assert away() == 0

    run(remote, applications[0], ask)
    assert service.closed >= 1


def test_one_that_hangs_is_waited_for_once_and_by_nobody_afterwards(
    remote: RemoteRunner, service: Service, applications: list[Application]
) -> None:
    async def ask() -> None:
        service.fault = hang
        started = time.monotonic()
        first = kinds(await submitted(remote, applications))
        assert set(first) <= {"slow", "unavailable"}
        assert time.monotonic() - started < 5
        started = time.monotonic()
        assert kinds(await submitted(remote, applications)) == ["unavailable"] * 150
        assert time.monotonic() - started < 0.25
        service.fault = None
        await until_back(remote)
        assert kinds(await submitted(remote, applications)) == ["decided"] * 150

    run(remote, applications[0], ask)


@pytest.mark.parametrize("answer", [b"nonsense", encoded_outcomes([])])
def test_an_answer_that_makes_no_sense_is_none(
    remote: RemoteRunner, service: Service, one: Application, answer: bytes
) -> None:
    async def ask() -> Any:
        service.answer = answer
        return await submitted(remote, [one])

    assert kinds(run(remote, one, ask)) == ["unavailable"]


def test_a_row_that_the_service_fails_on_is_its_own_error(
    remote: RemoteRunner, decoder: RequestDecoder, one: Application, breaking: Any
) -> None:
    bad = decoder.decode(msgspec.json.encode(breaking))
    first, failed, last = run(remote, one, lambda: submitted(remote, [one, bad, one]))
    assert isinstance(failed, RowFailedError)
    assert kinds([first, last]) == ["decided"] * 2


def test_too_many_are_refused_at_once(
    remote: RemoteRunner, applications: list[Application]
) -> None:
    async def ask() -> Any:
        return await submitted(remote, applications * 2)

    assert kinds(run(remote, applications[0], ask)).count("lagging") == 100


def test_those_who_have_left_are_not_sent(
    remote: RemoteRunner, service: Service, applications: list[Application]
) -> None:
    async def ask() -> Any:
        service.asked.clear()
        tasks = [
            asyncio.ensure_future(remote.submit(a, explain=False))
            for a in applications[:5]
        ]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return await submitted(remote, applications[:1])

    assert kinds(run(remote, applications[0], ask)) == ["decided"]
    assert sum(service.asked) == 1


def test_before_it_was_found_nobody_waits_for_it(
    remote: RemoteRunner, service: Service, one: Application
) -> None:
    service.fault = refuse

    async def ask() -> Any:
        before = await submitted(remote, [one])
        early = remote.compute([one], explain=False)
        await remote.start(one, wait_seconds=0.05)
        during = await submitted(remote, [one])
        service.fault = None
        await until_back(remote)
        after = await submitted(remote, [one])
        await remote.close()
        return [*before, *early, *during, *after]

    expected = ["unavailable", "unavailable", "unavailable", "decided"]
    assert kinds(asyncio.run(ask())) == expected


def test_it_is_never_waited_for_on_the_loop_itself(
    remote: RemoteRunner, one: Application
) -> None:
    async def ask() -> Any:
        return remote.compute([one], explain=False)

    assert kinds(run(remote, one, ask)) == ["unavailable"]


def test_a_batch_is_bounded_though_the_loop_stands_still(
    remote: RemoteRunner, one: Application
) -> None:
    async def ask() -> Any:
        outcomes: list[Any] = []
        thread = threading.Thread(
            target=lambda: outcomes.extend(remote.compute([one], explain=False))
        )
        thread.start()
        await asyncio.sleep(0)
        thread.join(10)  # on the loop, which stands still
        return outcomes

    assert kinds(run(remote, one, ask)) == ["slow"]


FAULTS = {"none": None, "refuses": refuse, "hangs": hang}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_champion_decides_whatever_its_service_does(  # noqa: PLR0913, PLR0917
    champion: ChampionApart,
    remote: RemoteRunner,
    runner: InProcessRunner,
    service: Service,
    applications: list[Application],
    registry: CollectorRegistry,
    fault: str,
) -> None:
    here = runner.compute(applications, explain=True)

    async def ask() -> Any:
        service.fault = FAULTS[fault]
        singles = await submitted(champion, applications)
        batch = await asyncio.to_thread(champion.compute, applications, explain=True)
        return singles, batch

    singles, batch = run(remote, applications[0], ask)
    assert singles == here
    assert batch == here
    name = "credit_scoring_champion_computed_here_total"
    counted = sum(
        registry.get_sample_value(name, {"kind": kind}) or 0
        for kind in ("slow", "unavailable", "failed")
    )
    assert counted == (0 if fault == "none" else 300)


@pytest.mark.parametrize("batch", [False, True])
def test_a_row_that_the_champion_fails_on_fails_as_it_does_here(  # noqa: PLR0913, PLR0917
    champion: ChampionApart,
    remote: RemoteRunner,
    decoder: RequestDecoder,
    one: Application,
    breaking: dict[str, Any],
    batch: bool,
) -> None:
    rows = [one, decoder.decode(msgspec.json.encode(breaking)), one]

    async def ask() -> Any:
        if batch:
            return await asyncio.to_thread(champion.compute, rows, explain=False)
        return await submitted(champion, rows)

    first, failed, last = run(remote, one, ask)
    assert isinstance(failed, ZeroDivisionError)
    assert kinds([first, last]) == ["decided"] * 2


def test_a_probe_that_is_too_slow_is_no_sign_of_life(
    remote: RemoteRunner, service: Service, one: Application
) -> None:
    async def slow() -> None:
        await asyncio.sleep(0.4)

    async def ask() -> None:
        service.fault = slow
        await submitted(remote, [one])
        await asyncio.sleep(1)
        assert remote.is_away

    run(remote, one, ask)


def test_left_out_errors_say_the_kind() -> None:
    assert kind_of(RowFailedError()) == "failed"
    assert kind_of(LeftOutError("slow")) == "slow"


def test_the_runner_says_what_it_is(
    remote: RemoteRunner, champion: ChampionApart
) -> None:
    assert remote.model is champion.model
    assert remote.engine is champion.engine
