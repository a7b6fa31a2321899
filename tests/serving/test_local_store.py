"""A store beside a service, unless one is named."""

import os

import pytest
import redis

from credit_scoring.serving import local_store as module
from credit_scoring.serving.local_redis import LocalRedis, LocalRedisError
from credit_scoring.serving.local_store import local_store, offer_local_store

URL = "CREDIT_SCORING_REDIS_URL"


def none_here() -> LocalRedis:
    raise LocalRedisError("there is none here")


def test_a_named_store_is_used_and_its_address_not_shown() -> None:
    environment = {URL: "redis://:secret@elsewhere"}
    said = offer_local_store(environment)
    assert f"{URL} names" in said
    assert "secret" not in said
    assert environment == {URL: "redis://:secret@elsewhere"}


def test_a_local_store_is_started_for_what_replaces_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[LocalRedis] = []
    genuine = module.start_local_redis
    monkeypatch.setattr(
        module, "start_local_redis", lambda: started.append(genuine()) or started[0]
    )
    environment = {URL: ""}
    said = offer_local_store(environment)
    (server,) = started
    assert environment == {URL: server.url}
    assert os.get_inheritable(server.held)
    assert f"{URL}={server.url} kedro run --pipelines materialization" in said
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()
    server.release()


def test_without_a_store_the_service_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "start_local_redis", none_here)
    environment: dict[str, str] = {}
    assert "are referred: there is none here" in offer_local_store(environment)
    assert environment == {}


def test_a_block_has_a_store_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(URL, raising=False)
    with local_store() as variables, redis.Redis.from_url(variables[URL]) as client:
        assert client.ping()
    monkeypatch.setattr(module, "start_local_redis", none_here)
    with local_store() as variables:
        assert variables == {}
    monkeypatch.setenv(URL, "redis://elsewhere")
    with local_store() as variables:
        assert variables == {}
