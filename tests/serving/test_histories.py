"""Applications without history: completed from the store, or referred."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.errors import SettingsError
from credit_scoring.feature_store.columns import HistoryColumns
from credit_scoring.feature_store.observer import CircuitState, Fault
from credit_scoring.feature_store.store import HistoryStore
from credit_scoring.serving.app import ScoringApp
from credit_scoring.serving.assembly import Models, scoring_app
from credit_scoring.serving.histories import NoHistories, open_histories
from credit_scoring.serving.history_metrics import HistoryMetrics
from credit_scoring.serving.local_redis import local_redis
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.settings import Settings, load_settings

VERSION = "0123456789abcdef"
Row = dict[str, Any]


class InMemory(NoHistories):
    """Remembers histories at once, and counts how often it is asked."""

    def __init__(self, contract: Contract, decoder: RequestDecoder) -> None:
        self.columns = HistoryColumns(contract, decoder)
        self.held: dict[str, list[float]] = {}
        self.questions = 0

    async def complete(self, application: Application) -> Application | None:
        self.questions += 1
        values = self.held.get(application.loan_id)
        return values and self.columns.complete(application, values)

    async def complete_many(
        self, applications: Sequence[Application]
    ) -> list[Application | None]:
        found = [await self.complete(application) for application in applications]
        self.questions += 1 - len(applications)
        return found

    def remember(self, application: Application) -> None:
        (self.held[application.loan_id],) = self.columns.values([application])


@pytest.fixture
def histories(contract: Contract, decoder: RequestDecoder) -> InMemory:
    return InMemory(contract, decoder)


@pytest.fixture
def app(
    models: Models, settings: Settings, registry: CollectorRegistry, histories: InMemory
) -> ScoringApp:
    return scoring_app(models, settings, ServiceMetrics(registry), histories=histories)


def decided(answer: Row) -> Row:
    own = ("decision_id", "scored_at", "feature_source")
    return {key: value for key, value in answer.items() if key not in own}


def without(row: Row) -> Row:
    return {key: value for key, value in row.items() if not key.startswith("days_")}


def test_a_history_that_was_sent_once_completes_later_applications(
    call: Any, declined: Row, registry: CollectorRegistry
) -> None:
    sent = call("POST", "/predict", json=declined).json()
    stored = call("POST", "/predict", json=without(declined)).json()
    assert sent["feature_source"] == "request"
    assert stored["feature_source"] == "store"
    assert decided(stored) == decided(sent)
    labels = {"role": "champion", "decision": "decline", "feature_source": "store"}
    assert registry.get_sample_value("credit_scoring_decisions_total", labels) == 1


def test_a_batch_is_completed_with_one_question(
    call: Any, approved: Row, declined: Row, histories: InMemory
) -> None:
    call("POST", "/predict/batch", json=[approved])
    rows = [without(approved), declined, {"loan_id": "?"}, without(declined)]
    answers = call("POST", "/predict/batch", json=rows).json()
    sources = [answer.get("feature_source") for answer in answers]
    assert sources == ["store", "request", None, "degraded"]
    assert histories.questions == 1
    again = call("POST", "/predict/batch", json=rows).json()
    assert again[3]["feature_source"] == "store"
    assert decided(again[3]) == decided(again[1])


def test_what_came_from_the_store_is_not_written_back(
    call: Any, approved: Row, histories: InMemory
) -> None:
    call("POST", "/predict", json=approved)
    held = histories.held.pop("L-1")
    histories.held["L-1"] = list(held)
    written: list[str] = []
    histories.remember = lambda one: written.append(one.loan_id)  # type: ignore[method-assign]
    call("POST", "/predict", json=without(approved))
    call("POST", "/predict/batch", json=[without(approved)])
    assert written == []


def test_without_an_address_there_is_no_store(
    contract: Contract, decoder: RequestDecoder, registry: CollectorRegistry
) -> None:
    histories = open_histories(
        Settings(),
        contract=contract,
        decoder=decoder,
        feature_version=VERSION,
        registry=registry,
    )
    bare = decoder.decode(b'{"loan_id": "L-1", "amount": 1}')

    async def ask() -> None:
        await histories.start()
        assert await histories.complete(bare) is None
        assert await histories.complete_many([bare]) == [None]
        histories.remember(bare)
        await histories.close()

    asyncio.run(ask())
    assert isinstance(histories, NoHistories)


def test_a_contract_without_history_has_no_use_for_a_store(
    contract: Contract, decoder: RequestDecoder, registry: CollectorRegistry
) -> None:
    document = contract.model_dump(mode="json")
    for column in document["columns"].values():
        if column["role"] == "history":
            column["role"] = "application"
    settings = load_settings({"CREDIT_SCORING_REDIS_URL": "redis://127.0.0.1:1"})
    opened = open_histories(
        settings,
        contract=Contract.model_validate(document),
        decoder=decoder,
        feature_version=VERSION,
        registry=registry,
    )
    assert isinstance(opened, NoHistories)


def test_the_store_that_the_settings_name_is_used(
    models: Models,
    contract: Contract,
    decoder: RequestDecoder,
    registry: CollectorRegistry,
    declined: Row,
) -> None:
    async def ask(url: str) -> tuple[Row, Row]:
        settings = load_settings(
            {"CREDIT_SCORING_REDIS_URL": url, "CREDIT_SCORING_REDIS_TIMEOUT_MS": "500"}
        )
        histories = open_histories(
            settings,
            contract=contract,
            decoder=decoder,
            feature_version=VERSION,
            registry=registry,
        )
        assert isinstance(histories, HistoryStore)
        app = scoring_app(
            models, settings, ServiceMetrics(registry), histories=histories
        )
        await histories.start()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test"
        ) as client:
            sent = await client.post("/predict", json=declined)
            await asyncio.sleep(0.2)
            stored = await client.post("/predict", json=without(declined))
        await histories.close()
        return sent.json(), stored.json()

    with local_redis() as url:
        sent, stored = asyncio.run(ask(url))
    assert stored["feature_source"] == "store"
    assert decided(stored) == decided(sent)
    prefix = "credit_scoring_feature_store"
    assert registry.get_sample_value(f"{prefix}_lookups_total", {"result": "hit"}) == 1
    assert registry.get_sample_value(f"{prefix}_writes_total") == 1
    assert registry.get_sample_value(f"{prefix}_circuit_state") == 0


@pytest.mark.parametrize(
    "url", ["http://secret@host", "secret", "redis://host?secret=1", "redis://h:secret"]
)
def test_a_wrong_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError, match="CREDIT_SCORING_REDIS_URL") as raised:
        load_settings({"CREDIT_SCORING_REDIS_URL": url})
    assert "secret" not in str(raised.value)


def test_an_address_is_not_shown_by_the_settings() -> None:
    settings = load_settings({"CREDIT_SCORING_REDIS_URL": "redis://:secret@host"})
    assert "secret" not in repr(settings)


def test_each_thing_that_happens_has_its_metric(registry: CollectorRegistry) -> None:
    metrics = HistoryMetrics(registry)
    metrics.looked_up(hits=2, misses=1)
    metrics.failed("read", Fault.TIMEOUT, 3)
    metrics.read_in(0.001)
    metrics.circuit(CircuitState.OPEN)
    metrics.queued(4)
    metrics.dropped(5)
    metrics.wrote(6)
    prefix = "credit_scoring_feature_store"
    errors = {"operation": "read", "kind": "timeout"}
    for name, labels, value in (
        ("lookups_total", {"result": "hit"}, 2),
        ("lookups_total", {"result": "miss"}, 1),
        ("errors_total", errors, 3),
        ("read_duration_seconds_count", {}, 1),
        ("circuit_state", {}, 2),
        ("write_queue_length", {}, 4),
        ("writes_dropped_total", {}, 5),
        ("writes_total", {}, 6),
    ):
        assert registry.get_sample_value(f"{prefix}_{name}", labels) == value
