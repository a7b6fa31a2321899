"""Where the models compute follows one setting."""

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.serving.answers import Role
from credit_scoring.serving.assembly import Models, router
from credit_scoring.serving.placement import Placement, placed
from credit_scoring.serving.remote import ChampionApart, RemoteRunner
from credit_scoring.serving.routing import ChallengerDecides
from credit_scoring.serving.routing_metrics import RoutingMetrics
from credit_scoring.serving.runner_metrics import RunnerMetrics
from credit_scoring.serving.runners import InProcessRunner
from credit_scoring.serving.settings import Settings, runners_are_apart

from .conftest import Challenger

URLS: dict[Role, str | None] = {
    "champion": "file:///run/champion.sock",
    "challenger": "file:///run/challenger.sock",
}
APART = Settings(runners="apart", routing="split")


@pytest.fixture
def both(
    contract: Contract,
    decoder: RequestDecoder,
    runner: InProcessRunner,
    challenger: Challenger,
) -> Models:
    return Models(contract, decoder, runner, challenger)


@pytest.fixture
def metrics(registry: CollectorRegistry) -> RunnerMetrics:
    return RunnerMetrics(registry)


def test_in_process_everything_stays_as_it_is(
    both: Models, metrics: RunnerMetrics
) -> None:
    placement = placed(both, Settings(), metrics, urls=URLS)
    assert placement == Placement(both)
    asyncio.run(placement.start())
    asyncio.run(placement.close())


def test_apart_each_is_asked_where_it_listens(
    both: Models, metrics: RunnerMetrics, registry: CollectorRegistry
) -> None:
    placement = placed(both, APART, metrics, urls=URLS)
    champion, challenger = placement.models.champion, placement.models.challenger
    assert isinstance(champion, ChampionApart)
    assert isinstance(challenger, RemoteRunner)
    assert [one.model.role for one in placement.remote] == ["champion", "challenger"]
    routed: Any = router(placement.models, APART, RoutingMetrics(registry))
    assert isinstance(routed, ChallengerDecides)
    assert routed._challenger is challenger


def test_without_an_address_or_a_challenger_nothing_is_asked(
    both: Models, models: Models, metrics: RunnerMetrics
) -> None:
    nowhere: dict[Role, str | None] = {"champion": None, "challenger": None}
    assert placed(both, APART, metrics, urls=nowhere) == Placement(both)
    placement = placed(models, APART, metrics, urls=URLS)
    assert placement.models.challenger is None
    assert len(placement.remote) == 1


def test_services_that_are_not_there_do_not_keep_the_worker_from_starting(
    both: Models, metrics: RunnerMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credit_scoring.serving.placement._WAIT_SECONDS", 0.05)

    async def start() -> list[bool]:
        placement = placed(both, APART, metrics, urls=URLS)
        await placement.start()
        away = [one.is_away for one in placement.remote]
        await placement.close()
        return away

    assert asyncio.run(start()) == [True, True]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"CREDIT_SCORING_RUNNERS": "apart"}, True),
        ({"CREDIT_SCORING_RUNNERS": "in_process"}, False),
        ({"CREDIT_SCORING_RUNNERS": "aprat"}, False),
    ],
)
def test_bentoml_is_told_whether_they_are_apart(
    environment: dict[str, str], expected: bool
) -> None:
    assert runners_are_apart(environment) is expected
