"""Retries get the same bytes; nothing is decided twice."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.serving.idempotency import (
    Asked,
    Idempotency,
    Kept,
    LocalAnswers,
    SharedAnswersError,
    asked_for,
)
from credit_scoring.serving.idempotency_metrics import IdempotencyMetrics
from credit_scoring.serving.messages import Reply, decision_reply
from credit_scoring.serving.problems import ProblemError

Call = Callable[..., httpx.Response]
KEY = {"idempotency-key": "6a1f-1"}


def test_a_retry_gets_the_same_bytes_and_says_so(
    call: Call,
    approved: dict[str, Any],
    engine_calls: list[int],
    registry: CollectorRegistry,
) -> None:
    first = call("POST", "/predict", json=approved, headers=KEY)
    again = call("POST", "/predict", json=approved, headers=KEY)
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    assert engine_calls == [1]
    counted = registry.get_sample_value(
        "credit_scoring_decisions_total",
        {"role": "champion", "decision": "approve", "feature_source": "request"},
    )
    assert counted == 1
    assert value(registry, "replayed") == 1


def test_another_key_or_none_is_another_decision(
    call: Call, approved: dict[str, Any]
) -> None:
    ids = {
        call("POST", "/predict", json=approved, headers=headers).json()["decision_id"]
        for headers in (KEY, {"idempotency-key": "6a1f-2"}, {}, {})
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    "other",
    [
        {"json": {"loan_id": "L-1", "amount": 101, "days_late_1": 0}},
        {"content": b'{"loan_id":"L-1","amount":100,"days_late_1": 0}'},
        {"params": {"reasons": "true"}},
    ],
)
def test_another_request_under_the_same_key_is_a_409(
    call: Call,
    approved: dict[str, Any],
    registry: CollectorRegistry,
    other: dict[str, Any],
) -> None:
    call("POST", "/predict", json=approved, headers=KEY)
    headers = {**KEY, "content-type": "application/json"}
    request: dict[str, Any] = {"json": approved, **other}
    if "content" in other:
        del request["json"]
    response = call("POST", "/predict", headers=headers, **request)
    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"].endswith("idempotency-key-reused")
    assert value(registry, "conflicts") == 1


def test_only_decisions_are_kept(
    call: Call, approved: dict[str, Any], breaking: dict[str, Any]
) -> None:
    assert call("POST", "/predict", json={}, headers=KEY).status_code == 400
    assert call("POST", "/predict", json=breaking, headers=KEY).status_code == 500
    assert call("POST", "/predict", json=approved, headers=KEY).status_code == 200


@pytest.mark.parametrize(
    "values",
    [[b""], [b" "], [b"a b"], [b"\xc3\xa9"], [b"x" * 256], [b"a", b"a"]],
)
@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_a_key_of_another_form_is_refused(
    call: Call, approved: dict[str, Any], path: str, values: list[bytes]
) -> None:
    headers = [(b"idempotency-key", value) for value in values]
    response = call("POST", path, json=approved, headers=headers)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["!", "~" * 255])
def test_any_visible_characters_are_a_key(
    call: Call, approved: dict[str, Any], key: str
) -> None:
    headers = {"idempotency-key": key}
    assert call("POST", "/predict", json=approved, headers=headers).status_code == 200


def test_a_batch_refuses_a_key_it_would_not_honour(
    call: Call, approved: dict[str, Any]
) -> None:
    response = call("POST", "/predict/batch", json=[approved], headers=KEY)
    assert response.status_code == 400
    assert "does not take it" in response.text


# --- the parts


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> IdempotencyMetrics:
    return IdempotencyMetrics(registry)


@pytest.fixture
def local(metrics: IdempotencyMetrics, clock: Clock) -> LocalAnswers:
    return LocalAnswers(most=3, seconds=60, metrics=metrics, clock=clock)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"credit_scoring_idempotency_{name}_total", labels)


def asked(key: str = "k", body: bytes = b"body") -> Asked:
    return asked_for(key.encode(), body, explain=False)


def counting(answers: list[bytes]) -> Callable[[], Awaitable[Reply]]:
    """Decide slowly, and differently each time."""

    async def decide() -> Reply:
        number = len(answers)
        answers.append(b"%d" % number)
        await asyncio.sleep(0.02)
        return decision_reply(answers[number])

    return decide


def test_what_is_kept_names_neither_key_nor_body() -> None:
    one = asked_for(b"loan-77", b'{"loan_id": "77"}', explain=True)
    assert [len(part) for part in one] == [32, 32]
    assert b"77" not in one.name + one.digest


def test_another_query_is_another_request() -> None:
    digests = {
        asked_for(b"key", b"{}", explain=explain, interval=interval).digest
        for explain in (False, True)
        for interval in (False, True)
    }
    assert len(digests) == 4


def test_those_who_ask_at_once_get_one_answer(
    local: LocalAnswers, metrics: Any
) -> None:
    answers: list[bytes] = []
    idempotency = Idempotency(local, metrics)

    async def ask() -> list[Reply]:
        decide = counting(answers)
        return await asyncio.gather(
            *(idempotency.answer(asked(), decide) for _ in range(20))
        )

    assert {reply.body for reply in asyncio.run(ask())} == {b"0"}
    assert answers == [b"0"]


def test_another_request_at_the_same_time_is_refused_at_once(
    local: LocalAnswers, metrics: Any
) -> None:
    idempotency = Idempotency(local, metrics)

    async def ask() -> list[Any]:
        decide = counting([])
        return await asyncio.gather(
            idempotency.answer(asked(), decide),
            idempotency.answer(asked(body=b"other"), decide),
            return_exceptions=True,
        )

    first, second = asyncio.run(ask())
    assert first.status == 200
    assert isinstance(second, ProblemError)
    assert second.problem.status == 409


def test_when_the_first_fails_the_next_one_decides(
    local: LocalAnswers, metrics: Any
) -> None:
    idempotency = Idempotency(local, metrics)
    calls = 0

    async def decide() -> Reply:
        nonlocal calls
        calls += 1
        number = calls
        await asyncio.sleep(0.01)
        if number == 1:
            raise ZeroDivisionError
        return decision_reply(b"%d" % number)

    async def ask() -> list[Any]:
        return await asyncio.gather(
            *(idempotency.answer(asked(), decide) for _ in range(5)),
            return_exceptions=True,
        )

    first, *others = asyncio.run(ask())
    assert isinstance(first, ZeroDivisionError)
    assert {reply.body for reply in others} == {b"2"}
    assert calls == 2


def test_when_the_first_has_left_the_next_one_decides(
    local: LocalAnswers, metrics: Any
) -> None:
    idempotency = Idempotency(local, metrics)
    answers: list[bytes] = []

    async def ask() -> Reply:
        decide = counting(answers)
        first = asyncio.ensure_future(idempotency.answer(asked(), decide))
        second = asyncio.ensure_future(idempotency.answer(asked(), decide))
        await asyncio.sleep(0.005)
        first.cancel()
        return await second

    assert asyncio.run(ask()).body == b"1"


def test_an_answer_is_forgotten_after_its_time(
    local: LocalAnswers, clock: Clock, registry: CollectorRegistry
) -> None:
    local.keep(asked(), b"answer")
    clock.now = 59.9
    assert local.find(asked().name) == Kept(asked().digest, b"answer")
    clock.now = 60.0
    assert local.find(asked().name) is None
    assert len(local) == 0
    assert value(registry, "forgotten") == 0


def test_too_many_answers_push_out_the_least_recently_asked_for(
    local: LocalAnswers, registry: CollectorRegistry
) -> None:
    for key in "abc":
        local.keep(asked(key), b"answer")
    local.find(asked("a").name)
    local.keep(asked("d"), b"answer")
    there = [key for key in "abcd" if local.find(asked(key).name)]
    assert there == ["a", "c", "d"]
    assert value(registry, "forgotten") == 1


class Shared:
    """A store that another worker uses, too; or that fails."""

    def __init__(self) -> None:
        self.there: dict[bytes, Kept] = {}
        self.failing = False

    def _fail(self) -> None:
        if self.failing:
            raise SharedAnswersError("it does not answer")

    async def claim(self, asked: Asked) -> Kept | None:
        self._fail()
        found = self.there.get(asked.name)
        if found is None:
            self.there[asked.name] = Kept(asked.digest, None)
        return found

    async def keep(self, asked: Asked, body: bytes) -> None:
        self._fail()
        self.there[asked.name] = Kept(asked.digest, body)

    async def release(self, asked: Asked) -> None:
        self._fail()
        del self.there[asked.name]


@pytest.fixture
def shared() -> Shared:
    return Shared()


@pytest.fixture
def workers(metrics: Any, shared: Shared) -> list[Idempotency]:
    return [
        Idempotency(LocalAnswers(most=9, seconds=60, metrics=metrics), metrics, shared)
        for _ in range(2)
    ]


def test_two_workers_decide_once(workers: list[Idempotency]) -> None:
    answers: list[bytes] = []

    async def ask() -> list[Reply]:
        decide = counting(answers)
        return await asyncio.gather(
            *(worker.answer(asked(), decide) for worker in workers for _ in range(5))
        )

    replies = asyncio.run(ask())
    assert {reply.body for reply in replies} == {b"0"}
    assert answers == [b"0"]


def test_another_request_at_another_worker_is_refused(
    workers: list[Idempotency],
) -> None:
    async def ask() -> None:
        await workers[0].answer(asked(), counting([]))
        with pytest.raises(ProblemError, match="another request"):
            await workers[1].answer(asked(body=b"other"), counting([]))

    asyncio.run(ask())


def test_a_failed_decision_frees_the_key_for_all(
    workers: list[Idempotency], shared: Shared
) -> None:
    async def fail() -> Reply:
        raise ZeroDivisionError

    async def ask() -> Reply:
        with pytest.raises(ZeroDivisionError):
            await workers[0].answer(asked(), fail)
        assert shared.there == {}
        return await workers[1].answer(asked(), counting([]))

    assert asyncio.run(ask()).body == b"0"


def test_without_the_shared_store_the_worker_keeps_by_itself(
    workers: list[Idempotency], shared: Shared, registry: CollectorRegistry
) -> None:
    answers: list[bytes] = []

    async def ask() -> list[bytes]:
        decide = counting(answers)
        shared.failing = True
        bodies = [(await workers[0].answer(asked(), decide)).body for _ in range(3)]
        shared.failing = False
        return [*bodies, (await workers[0].answer(asked(), decide)).body]

    assert asyncio.run(ask()) == [b"0"] * 4
    assert value(registry, "degradations", step="claim") == 1


def test_an_answer_that_is_not_kept_for_all_is_given_all_the_same(
    workers: list[Idempotency], shared: Shared, registry: CollectorRegistry
) -> None:
    async def decide() -> Reply:
        shared.failing = True
        return decision_reply(b"0")

    async def fail() -> Reply:
        shared.failing = True
        raise ZeroDivisionError

    async def ask() -> Reply:
        reply = await workers[0].answer(asked(), decide)
        shared.failing = False
        with pytest.raises(ZeroDivisionError):
            await workers[0].answer(asked("other"), fail)
        return reply

    assert asyncio.run(ask()).body == b"0"
    assert value(registry, "degradations", step="keep") == 1
    assert value(registry, "degradations", step="release") == 1


def test_a_worker_that_never_comes_to_an_end_is_not_waited_for_for_ever(
    workers: list[Idempotency], shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credit_scoring.serving.idempotency._WAIT_SECONDS", 0.1)
    shared.there[asked().name] = Kept(asked().digest, None)
    with pytest.raises(ProblemError, match="still being made") as raised:
        asyncio.run(workers[0].answer(asked(), counting([])))
    assert raised.value.problem.status == 503
    assert raised.value.headers == ((b"retry-after", b"1"),)
