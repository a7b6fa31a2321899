"""Ways round the gateway's rules: spellings, smuggling, doubled headers."""

import itertools
import socket
import ssl
import warnings

import httpx
import pytest

from .running import Gateway, TlsWire, Upstream, sent

LENGTH = b"Content-Length: 0"
ALLOWED = b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"

# Targets that lead to nothing, whoever asks: no spelling of a path is another's.
SPELLINGS = [
    "//predict",
    "/predict/",
    "/predict//batch",
    "/./predict",
    "/predict/../metrics",
    "/predict/%2e%2e/metrics",
    "/predict/..%2fmetrics",
    "/predict%2f..%2fmetrics",
    "/predict/..;/metrics",
    "/predict;/metrics",
    "/%70redict",
    "/PREDICT",
    "/predict.",
    "/predict%20",
    "/predict%00",
    "/predict%0d%0aHost:%20x",
    "/predict\\..\\metrics",
    "/metrics",
    "/metrics?/predict",
    "/Metrics",
    "/%6detrics",
    "//metrics",
    "/predict/..//metrics",
    "/mlflow/../metrics",
    "/mlflow/%2e%2e/metrics",
    "/mlflow/..%2fmetrics",
    "/mlflow/.%2e/metrics",
    "/mlflow//metrics",
    "/mlflow/a/./b",
    "/mlflow/%5c..%5cmetrics",
    "/mlflow",
    "/MLFLOW/",
    "/_predict_under_key",
    "/_problem",
    "/constructor",
    "/__proto__",
    "http://localhost/metrics",
    "https://localhost//predict",
    "*",
]


def head(line: bytes, authorization: str, *headers: bytes) -> bytes:
    lines = [line, b"Host: localhost", f"Authorization: {authorization}".encode()]
    return b"\r\n".join([*lines, *headers, b"", b""])


def seen_by(*upstreams: Upstream) -> list[str]:
    return [one.target for upstream in upstreams for one in upstream.seen]


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_no_other_spelling_of_a_path_is_taken(
    gateway: Gateway,
    bearer: dict[str, str],
    upstreams: list[Upstream],
    mlflow: Upstream,
    version: bytes,
) -> None:
    taken = []
    for method, target in itertools.product((b"GET", b"POST"), SPELLINGS):
        line = b"%s %s %s" % (method, target.encode(), version)
        answer = sent(gateway, head(line, bearer["all"], LENGTH))
        if answer.status not in {400, 404}:
            taken.append((target, answer.status))
    assert taken == []
    assert seen_by(*upstreams, mlflow) == []


@pytest.mark.parametrize("target", ["http://localhost/predict", "https://x/predict"])
def test_an_absolute_target_is_judged_by_its_path(
    gateway: Gateway, bearer: dict[str, str], upstreams: list[Upstream], target: str
) -> None:
    line = f"POST {target} HTTP/1.1".encode()
    assert sent(gateway, head(line, bearer["score"], LENGTH)).status == 200
    assert sent(gateway, head(line, bearer["admin"], LENGTH)).status == 403
    (request,) = [one for upstream in upstreams for one in upstream.seen]
    assert request.target == "/predict"
    assert request.headers["host"] == "credit-scoring"


def test_mlflow_is_asked_for_what_was_asked(
    gateway: Gateway, bearer: dict[str, str], mlflow: Upstream
) -> None:
    targets = ("/mlflow/a%20b?x=%2e%2e", "/mlflow/ajax-api/2.0/mlflow/runs/search")
    for target in targets:
        line = f"GET {target} HTTP/1.1".encode()
        assert sent(gateway, head(line, bearer["admin"])).status == 200
    assert seen_by(mlflow) == ["/a%20b?x=%2e%2e", "/ajax-api/2.0/mlflow/runs/search"]


@pytest.mark.parametrize(
    "headers",
    [
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        (b"Content-Length: 5", b"Content-Length: 6"),
        (b"Content-Length: 5", b"Content-Length: 5"),
        (b"Content-Length: +5",),
        (b"Content-Length: -5",),
        (b"Content-Length: 0x5",),
        (b"Content-Length: 5, 5",),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
        (b"Transfer-Encoding: xchunked",),
        (b"Transfer-Encoding: chunked, identity",),
        (b"Host: other",),
        (b"Idempotency-Key: a", b"Idempotency-Key: b"),
        (b"Content-Type: application/json", b"Content-Type: text/csv"),
        (b"Content-Encoding: gzip", b"content-encoding: identity"),
        (b"authorization: Bearer x",),
    ],
    ids=lambda headers: b"|".join(headers).decode(),
)
def test_a_request_of_two_readings_is_refused(
    gateway: Gateway,
    bearer: dict[str, str],
    upstreams: list[Upstream],
    headers: tuple[bytes, ...],
) -> None:
    whole = head(b"POST /predict HTTP/1.1", bearer["all"], *headers)
    smuggled = head(b"GET /metrics HTTP/1.1", bearer["all"])
    answer = sent(gateway, whole + b"0\r\n\r\n" + smuggled)
    assert answer.status == 400, answer.head
    assert seen_by(*upstreams) == []


@pytest.mark.parametrize(
    "odd",
    [
        b"Transfer_Encoding: chunked",
        b"Content_Length: 100",
        b"Transfer-Encoding : chunked",
        b"X: a\r\n Transfer-Encoding: chunked",
        b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8",
        b"Connection: Host, Content-Length, Authorization",
        b"Connection: X-Request-Id\r\nKeep-Alive: 5\r\nUpgrade: h2c\r\nTE: trailers",
        b"X-Request-Id: a\r\nX-Request-Id: b",
        b"X-HTTP-Method-Override: GET",
        b"X-Rewrite-Url: /metrics",
        b"Expect: 100-continue",
    ],
)
def test_an_odd_header_is_refused_or_goes_no_further(
    gateway: Gateway, bearer: dict[str, str], upstreams: list[Upstream], odd: bytes
) -> None:
    plain = head(b"POST /predict HTTP/1.1", bearer["all"], b"Content-Length: 2", odd)
    answer = sent(gateway, plain + b"{}")
    seen = list(itertools.chain(*(one.seen for one in upstreams)))
    if answer.status == 400:
        assert not seen
        return
    assert answer.status == 200
    (request,) = seen
    assert request.body == b"{}"
    headers = request.headers
    assert set(headers) == {"host", "content-length", "x-forwarded-for", "x-request-id"}
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert len(headers["x-request-id"]) == 32


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
@pytest.mark.parametrize("authorised", [True, False])
def test_an_old_version_has_the_same_rules(
    gateway: Gateway,
    bearer: dict[str, str],
    upstreams: list[Upstream],
    version: bytes,
    authorised: bool,
) -> None:
    key = bearer["score" if authorised else "admin"]
    whole = head(b"POST /predict " + version, key, b"Content-Length: 2") + b"{}"
    assert sent(gateway, whole).status == (200 if authorised else 403)
    assert seen_by(*upstreams) == (["/predict"] if authorised else [])


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET /predict\r\n\r\n",
        b"POST /predict HTTP/2.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /predict HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\r\n\r\n",
        b"GET /predict HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /predict HTTP/1.1\r\nHost: a/../b\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_rubbish_reaches_nobody(
    gateway: Gateway, upstreams: list[Upstream], rubbish: bytes
) -> None:
    answer_bytes = _all(gateway, rubbish)
    assert b" 200 " not in answer_bytes[:20]
    assert b"HTTP/1.1 5" not in answer_bytes
    assert seen_by(*upstreams) == []


def _all(gateway: Gateway, request: bytes) -> bytes:
    """Send, and take all until the gateway closes: HTTP/0.9 has no head."""

    raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
    with gateway.tls().wrap_socket(raw, server_hostname="localhost") as wire:
        wire.sendall(request)
        return wire.recv(65536)


def test_a_second_request_on_the_connection_is_judged_by_itself(
    gateway: Gateway, bearer: dict[str, str], upstreams: list[Upstream]
) -> None:
    first = head(b"POST /predict HTTP/1.1", bearer["score"], b"Content-Length: 2")
    second = ALLOWED + b"Content-Length: 2\r\n\r\n{}"

    wire = TlsWire(gateway)
    wire.send([first + b"{}" + second])
    assert [wire.answer().status, wire.answer().status] == [200, 401]
    wire.close()
    assert seen_by(*upstreams) == ["/predict"]


def test_plain_http_is_refused_on_the_encrypted_port(gateway: Gateway) -> None:

    answer = httpx.get(f"http://127.0.0.1:{gateway.port}/predict")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_encryption_is_refused(gateway: Gateway, version: str) -> None:

    context = gateway.tls()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[version]
        context.maximum_version = ssl.TLSVersion[version]
    raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
    with raw, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(raw, server_hostname="localhost")
