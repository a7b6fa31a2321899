"""Paths, methods, and what stands behind the front door."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from credit_scoring.serving.app import FrontDoor, ScoringApp

Call = Callable[..., httpx.Response]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "TRACE"])
def test_another_method_is_a_405_that_names_the_allowed(
    call: Call, method: str
) -> None:
    response = call(method, "/predict")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST, OPTIONS"


def test_options_says_what_a_path_takes(call: Call) -> None:
    assert call("OPTIONS", "/predict/batch").headers["allow"] == "POST, OPTIONS"
    assert call("OPTIONS", "/").headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/nope", "/predict/", "/Predict", "//predict"])
def test_an_unknown_path_is_a_404_that_does_not_echo_it(call: Call, path: str) -> None:
    response = call("POST", f"http://test{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "nope" not in response.text


def test_the_start_page_loads_nothing_from_elsewhere(call: Call) -> None:
    response = call("GET", "/")
    assert response.status_code == 200
    assert "http" not in response.text
    assert response.headers["content-security-policy"].startswith("default-src 'self'")
    assert call("HEAD", "/").status_code == 200


class Behind:
    """Records what gets through the front door."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope.get("path", scope["type"]))
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 299, "headers": []})
            await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def front(app: ScoringApp, behind: Behind) -> FrontDoor:
    paths = {"/readyz": frozenset({"GET", "HEAD"})}
    return FrontDoor(lambda: app, behind=behind, paths_behind=paths)


def ask(front: FrontDoor, scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(front({"headers": [], "query_string": b"", **scope}, receive, send))
    return sent


def test_its_paths_go_to_the_app_behind(front: FrontDoor, behind: Behind) -> None:
    sent = ask(front, {"type": "http", "path": "/readyz", "method": "GET"})
    assert sent[0]["status"] == 299
    assert behind.seen == ["/readyz"]


def test_the_start_and_shutdown_are_run_behind(
    front: FrontDoor, behind: Behind
) -> None:
    ask(front, {"type": "lifespan"})
    assert behind.seen == ["lifespan"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/readyz", "POST", 405),
        ("/readyz", "E", 405),
        ("/readyz/x", "GET", 404),
        ("/predict", "GET", 405),
    ],
)
def test_nothing_else_gets_behind(
    front: FrontDoor, behind: Behind, path: str, method: str, status: int
) -> None:
    sent = ask(front, {"type": "http", "path": path, "method": method})
    assert sent[0]["status"] == status
    assert behind.seen == []


def test_a_websocket_is_refused(front: FrontDoor, behind: Behind) -> None:
    sent = ask(front, {"type": "websocket", "path": "/predict"})
    assert sent == [{"type": "websocket.close", "code": 1000}]
    assert behind.seen == []
