"""Who may ask for what, and what is passed on."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from .conftest import MakeKey
from .running import Gateway, Upstream

Ask = Callable[..., httpx.Response]
PATHS = {
    "/predict": ("POST", "score"),
    "/predict/batch": ("POST", "score"),
    "/console": ("GET", "score"),
    "/console/app.js": ("GET", "score"),
    "/contract": ("GET", "score"),
    "/model": ("GET", "score"),
    "/what-if": ("POST", "score"),
    "/what-if/approval": ("POST", "score"),
    "/outcomes": ("POST", "outcomes"),
    "/monitoring": ("GET", "monitor"),
    "/monitoring/report": ("GET", "monitor"),
    "/mlflow/": ("GET", "admin"),
    "/mlflow/api/2.0/mlflow/experiments/search": ("POST", "admin"),
}
INNER = ("/metrics", "/readyz", "/livez", "/healthz", "/_problem", "/status")


@pytest.fixture(scope="module")
def ask(gateway: Gateway) -> Iterator[Ask]:
    with gateway.client() as web:
        yield web.request


def assert_problem(answer: httpx.Response, status: int, name: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    body = answer.json()
    assert body.pop("detail")
    title = body.pop("title")
    assert title
    assert body == {
        "type": f"tag:credit-scoring,2026:{name}",
        "status": status,
        "errors": [],
    }


NO_KEYS = [
    None,
    "",
    "Bearer",
    "Bearer cs_" + "A" * 43,
    "Bearer " + "0" * 64,
    "Basic Og==",
    "Digest x",
    "Bearer ../../a",
    "Bearer cs_ " + "A" * 42,
]


@pytest.mark.parametrize("path", [*PATHS, "/", "/docs.json"])
def test_without_a_valid_key_nothing_is_passed_on(
    ask: Ask, upstreams: list[Upstream], mlflow: Upstream, path: str
) -> None:
    method = PATHS.get(path, ("GET", ""))[0]
    for sent in NO_KEYS:
        headers = {} if sent is None else {"Authorization": sent}
        answer = ask(method, path, headers=headers)
        assert_problem(answer, 401, "no-valid-key")
        realm = answer.headers["www-authenticate"]
        assert realm.startswith('Bearer realm="credit-scoring"')
    assert not any(upstream.seen for upstream in [*upstreams, mlflow])


def test_a_hash_is_no_key(ask: Ask, gateway: Gateway, make_key: MakeKey) -> None:
    make_key("known", "--roles", "score")
    digest = gateway.keys.read_text().split()[0]
    for sent in (digest, f"cs_{digest[:43]}"):
        answer = ask("POST", "/predict", headers={"Authorization": f"Bearer {sent}"})
        assert answer.status_code == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", ["score", "outcomes", "monitor", "admin"])
def test_a_role_opens_its_own_paths_alone(
    ask: Ask, bearer: dict[str, str], path: str, role: str
) -> None:
    method, needed = PATHS[path]
    answer = ask(method, path, headers={"Authorization": bearer[role]})
    if role == needed:
        assert answer.status_code == 200
    else:
        assert_problem(answer, 403, "role-missing")


def test_a_key_may_come_as_a_password(
    ask: Ask, bearer: dict[str, str], mlflow: Upstream
) -> None:
    """As browsers send it, and MLflow's client."""
    key = bearer["admin"].removeprefix("Bearer ")
    assert ask("GET", "/mlflow/?a=1", auth=("anybody", key)).status_code == 200
    (seen,) = mlflow.seen
    assert seen.target == "/?a=1"
    assert "authorization" not in seen.headers


@pytest.mark.parametrize("path", INNER)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_inner_paths_are_not_there_for_anybody(
    ask: Ask, bearer: dict[str, str], upstreams: list[Upstream], path: str, method: str
) -> None:
    answer = ask(method, path, headers={"Authorization": bearer["all"]})
    assert_problem(answer, 404, "not-found")
    assert not any(upstream.seen for upstream in upstreams)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "TRACE", "PATCH", "FOO"])
def test_a_path_takes_its_methods_alone(
    ask: Ask, bearer: dict[str, str], upstreams: list[Upstream], method: str
) -> None:
    answer = ask(method, "/predict", headers={"Authorization": bearer["score"]})
    assert answer.status_code == 405
    if method != "TRACE":  # which nginx refuses by itself
        assert answer.headers["allow"] == "POST"
    assert not any(upstream.seen for upstream in upstreams)


def test_the_service_is_told_no_more_than_it_needs(
    ask: Ask, bearer: dict[str, str], upstreams: list[Upstream]
) -> None:
    headers = {
        "Authorization": bearer["score"],
        "Content-Type": "application/json",
        "Idempotency-Key": "k-1",
        "Cookie": "a=b",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "evil",
        "X-Real-IP": "10.0.0.1",
        "Forwarded": "for=10.0.0.1",
        "X_Request_Id": "underscored",
        "X-Original-URL": "/metrics",
        "Host": "evil",
        "Connection": "Idempotency-Key",
    }
    answer = ask("POST", "/predict?reasons=true", headers=headers, content=b'{"a":1}')
    assert answer.status_code == 200
    (seen,) = [one for upstream in upstreams for one in upstream.seen]
    assert (seen.target, seen.body) == ("/predict?reasons=true", b'{"a":1}')
    got = seen.headers
    request_id = got.pop("x-request-id")
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    assert answer.headers["x-request-id"] == request_id
    assert got == {
        "host": "credit-scoring",
        "accept": "*/*",
        "content-type": "application/json",
        "content-length": "7",
        "idempotency-key": "k-1",
        "x-forwarded-for": "127.0.0.1",
    }


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("abc-1.2_X", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("a b", False),
        ("<", False),
    ],
)
def test_a_request_id_is_taken_if_it_has_the_form(
    ask: Ask, bearer: dict[str, str], upstreams: list[Upstream], sent: str, kept: bool
) -> None:
    headers = {"Authorization": bearer["score"], "X-Request-Id": sent}
    answer = ask("POST", "/predict", headers=headers)
    (seen,) = [one for upstream in upstreams for one in upstream.seen]
    given = seen.headers["x-request-id"]
    assert answer.headers["x-request-id"] == given
    assert (given == sent) is kept
    assert kept or re.fullmatch("[0-9a-f]{32}", given)


def test_what_is_too_large_is_refused(
    ask: Ask, bearer: dict[str, str], upstreams: list[Upstream]
) -> None:
    headers = {"Authorization": bearer["all"]}
    large = b"a" * (64 * 1024 + 1)
    assert_problem(
        ask("POST", "/predict", headers=headers, content=large), 413, "body-too-large"
    )
    assert (
        ask("POST", "/predict/batch", headers=headers, content=large).status_code == 200
    )
    assert_problem(ask("GET", "/" + "a" * 9000, headers=headers), 414, "head-too-large")
    assert_problem(ask("GET", "/", headers={"X": "a" * 9000}), 431, "head-too-large")
    assert len([one for upstream in upstreams for one in upstream.seen]) == 1


def test_a_key_that_asks_too_often_is_told_when_to_come_back(
    ask: Ask, bearer: dict[str, str], make_key: MakeKey
) -> None:
    key = make_key("slow", "--roles", "score", "--rate", "low")
    slow = {"Authorization": f"Bearer {key}"}
    answers = [ask("POST", "/predict", headers=slow) for _ in range(30)]
    refused = [one for one in answers if one.status_code != 200]
    assert refused
    assert_problem(refused[-1], 429, "too-many-requests")
    assert refused[-1].headers["retry-after"] == "1"
    # Nobody else's rate is touched by it.
    other = {"Authorization": bearer["score"]}
    assert ask("POST", "/predict", headers=other).status_code == 200


def test_keys_are_rotated_while_connections_stay(
    gateway: Gateway, make_key: MakeKey
) -> None:
    """A new key works, and a revoked one does not, on the same connection."""
    old = make_key("rotated", "--roles", "score")
    with gateway.client() as web:

        def status(key: str) -> int:
            headers = {"Authorization": f"Bearer {key}"}
            return web.post("/predict", headers=headers).status_code

        assert status(old) == 200
        new = make_key("rotated", "--roles", "score")
        assert (status(old), status(new)) == (200, 200)
        lines = gateway.keys.read_text().splitlines()
        kept = [line for line in lines if " rotated " not in line]
        newest = [line for line in lines if " rotated " in line][-1]
        whole = gateway.keys.with_name("next")
        whole.write_text("\n".join([*kept, newest]) + "\n")
        whole.replace(gateway.keys)
        assert (status(old), status(new)) == (401, 200)


def test_an_expired_key_is_no_key(ask: Ask, make_key: MakeKey) -> None:
    old = make_key("expired", "--roles", "score", "--until", "2020-01-01")
    new = make_key("lasting", "--roles", "score", "--until", "2999-01-01")
    statuses = [
        ask("POST", "/predict", headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (old, new)
    ]
    assert statuses == [401, 200]


def test_without_the_file_of_keys_the_door_stays_shut(
    ask: Ask, gateway: Gateway, bearer: dict[str, str], upstreams: list[Upstream]
) -> None:
    away = gateway.keys.with_name("away")
    gateway.keys.rename(away)
    try:
        answer = ask("POST", "/predict", headers={"Authorization": bearer["score"]})
    finally:
        away.rename(gateway.keys)
    assert_problem(answer, 503, "gateway-closed")
    assert not any(upstream.seen for upstream in upstreams)


def test_the_log_says_who_and_what_and_nothing_of_an_applicant(
    ask: Ask, gateway: Gateway, bearer: dict[str, str], upstreams: list[Upstream]
) -> None:
    applicant = "Zaphod-4711"
    headers = {"Authorization": bearer["score"], "X-Request-Id": "traced-1"}
    content = json.dumps({"loan_id": applicant}).encode()
    ask("POST", f"/predict?loan_id={applicant}", headers=headers, content=content)
    ask("POST", f"/{applicant}", headers=headers, content=content)
    ask(
        applicant,
        "/predict",
        headers={**headers, "Referer": applicant, "User-Agent": applicant},
    )
    for upstream in upstreams:
        upstream.behaviour = "drop"
    ask("POST", f"/predict?loan_id={applicant}", headers=headers, content=content)
    ask("POST", f"/predict?q={applicant}", headers=headers, content=b"a" * 70000)
    line = logged_under(gateway, "traced-1")[0]
    time_ = line.pop("time")
    assert time_
    said = {name: line[name] for name in ("key", "route", "method", "status", "tls")}
    assert said == {
        "key": "only-score",
        "route": "/predict",
        "method": "POST",
        "status": 200,
        "tls": "TLSv1.3",
    }
    assert len(logged_under(gateway, "traced-1")) == 4
    assert applicant not in gateway.logged()
    assert bearer["score"].removeprefix("Bearer ") not in gateway.logged()


def logged_under(gateway: Gateway, request_id: str) -> list[dict[str, object]]:
    """Read the lines of a request id, once all that was answered is logged."""
    found: list[dict[str, object]] = []
    gives_up = time.monotonic() + 30
    while len(found) < 4 and time.monotonic() < gives_up:
        lines = Path(gateway.access_log).read_text().splitlines()
        read = [json.loads(line) for line in lines]
        found = [line for line in read if line["request_id"] == request_id]
        time.sleep(0.05)
    return found


def test_those_who_watch_the_gateway_ask_inside(gateway: Gateway) -> None:
    inner = f"http://127.0.0.1:{gateway.inner_port}"
    assert httpx.get(f"{inner}/healthz").text == "alive\n"
    assert "Active connections" in httpx.get(f"{inner}/status").text
    assert httpx.get(f"{inner}/predict").status_code == 404
