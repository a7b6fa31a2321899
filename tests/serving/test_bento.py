"""Our app in front of the one that BentoML builds for a service."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import bentoml
import httpx
import pytest
import yaml

from credit_scoring.serving.app import ScoringApp
from credit_scoring.serving.bento import FrontedService
from credit_scoring.serving.local_server import HOST

PREDICT: dict[str, Any] = {
    "operationId": "predict",
    "summary": "Decide",
    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
    "responses": {},
}


@pytest.fixture
def service(app: ScoringApp) -> FrontedService:
    ours = app

    class Small:
        def __init__(self) -> None:
            self.app = ours
            self.drain_seconds = 0.0

        def api_document(self, version: str | None) -> dict[str, Any]:
            return {
                "openapi": "3.1.0",
                "info": {"title": "small", "version": version or "0"},
                "tags": [],
                "paths": {"/predict": {"post": PREDICT}},
            }

    # BentoML's own metrics can be registered only once in a process.
    made = bentoml.service(
        name="small", service_class=FrontedService, metrics={"enabled": False}
    )(Small)
    assert isinstance(made, FrontedService)
    return made


@pytest.fixture
def client(
    service: FrontedService, serve: Callable[[Any], int]
) -> Iterator[httpx.Client]:
    port = serve(service.to_asgi())
    with httpx.Client(base_url=f"http://{HOST}:{port}", timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    ["/livez", "/readyz", "/healthz", "/static_content/swagger-ui.css"],
)
def test_bentoml_answers_its_own_paths(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200
    refused = client.post(path)
    assert refused.status_code == 405
    assert refused.headers["content-type"] == "application/problem+json"


def test_we_answer_all_others(client: httpx.Client, approved: dict[str, Any]) -> None:
    assert client.post("/predict", json=approved).json()["decision"] == "approve"
    unknown = client.get("/static_content/none.css")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"] == "application/problem+json"
    assert "googletagmanager" not in client.get("/").text


def test_the_document_has_our_routes_and_bentomls(client: httpx.Client) -> None:
    document = client.get("/docs.json").json()
    assert document["openapi"] == "3.1.0"
    assert {"/predict", "/livez", "/readyz", "/metrics"} <= set(document["paths"])


def test_bentomls_clients_are_told_our_routes(client: httpx.Client) -> None:
    (route,) = client.get("/schema.json").json()["routes"]
    assert (route["name"], route["route"]) == ("predict", "/predict")


def test_the_document_is_written_into_a_bento_as_plain_yaml(
    service: FrontedService,
) -> None:
    text = yaml.dump(service.openapi_spec)
    assert yaml.safe_load(text)["info"]["title"] == "small"


def test_before_the_start_there_is_nothing_to_ask(service: FrontedService) -> None:
    front = service.to_asgi()
    asked = front({"type": "http", "path": "/predict"}, None, None)
    with pytest.raises(RuntimeError, match="has not started"):
        asyncio.run(asked)
