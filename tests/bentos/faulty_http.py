"""Requests that are wrong as HTTP, or that no client in good faith sends."""

import gzip
import zlib
from random import Random

from .faulty_requests import (
    CLOSED,
    JSON_HEADER,
    MARKER,
    Faulty,
    Row,
    as_json,
    head,
    kind,
    length,
    request,
    sound,
)

_BOMB = b'{"loan_id": "' + b"0" * 20_000_000 + b'"}'
_BOMBS = {b"gzip": gzip.compress(_BOMB), b"deflate": zlib.compress(_BOMB)}
# What uvicorn answers to what is no HTTP, and then closes.
NO_HTTP = frozenset({400, CLOSED})


def whole(request: bytes, *allowed: int, own_connection: bool = True) -> Faulty:
    """Make a request of one piece."""
    return Faulty((request,), frozenset(allowed), own_connection=own_connection)


def no_http(request: bytes, *more: int) -> Faulty:
    """Make something that is no HTTP: refused, or the connection is closed."""
    return Faulty((request,), NO_HTTP | frozenset(more))


@kind("a compression bomb", weight=0.3)
def bomb(random: Random, row: Row) -> Faulty:
    coding, body = random.choice(list(_BOMBS.items()))
    header = b"Content-Encoding: " + coding + b"\r\n"
    return whole(request(body, header), 415)


@kind("a compressed body")
def compressed(random: Random, row: Row) -> Faulty:
    coding = random.choice(
        [b"gzip", b"br", b"zstd", b"x-gzip", b"gzip, gzip", b"identity, gzip", b"GZIP"]
    )
    header = b"Content-Encoding: " + coding + b"\r\n"
    body = gzip.compress(as_json(row))
    return whole(request(body, header), 415, own_connection=False)


@kind("a body too large, as declared", weight=0.1)
def large_declared(random: Random, row: Row) -> Faulty:
    body = b" " * random.choice([65_537, 200_000, 1_000_000])
    return whole(request(body), 413)


@kind("a length that never comes")
def large_never_sent(random: Random, row: Row) -> Faulty:
    declared = random.choice([10**6, 10**9, 10**14, 2**63])
    return whole(head(JSON_HEADER, length(declared)), 413)


@kind("a length beyond all numbers")
def endless_length(random: Random, row: Row) -> Faulty:
    digits = random.choice([20, 30, 4000])
    return no_http(head(JSON_HEADER, b"Content-Length: " + b"9" * digits + b"\r\n"))


@kind("a body too large, in chunks", weight=0.1)
def large_in_chunks(random: Random, row: Row) -> Faulty:
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    pieces = (head(JSON_HEADER, b"Transfer-Encoding: chunked\r\n"), chunk * 20)
    return Faulty((*pieces, b"0\r\n\r\n"), frozenset({413}))


@kind("a slow body", weight=0.02)
def slow_body(random: Random, row: Row) -> Faulty:
    body = as_json(row)
    start = head(JSON_HEADER, length(len(body)))
    pieces = (start, *(body[n : n + 1] for n in range(40)))
    return Faulty(pieces, frozenset({408}), pause=0.02)


@kind("a body that stops", weight=0.02)
def stopping_body(random: Random, row: Row) -> Faulty:
    body = as_json(row)
    return whole(head(JSON_HEADER, length(len(body))) + body[:20], 408)


@kind("a wrong content type")
def content_type(random: Random, row: Row) -> Faulty:
    body = as_json(row)
    value = random.choice(
        [
            b"text/plain", b"application/xml", b"application/jsonp", b"", b"json",
            b"application/json; charset=latin-1", b"application/json; charset=utf-16",
            b"application/json; charset", b"application/json; a=b", b"*/*",
            b"multipart/form-data; boundary=x", b"application/json, text/plain",
            b"application/\xff\xfe", b"application/x-www-form-urlencoded",
            MARKER.encode(), b"application/json" * 500,
        ]
    )  # fmt: skip
    header = b"Content-Type: " + value + b"\r\n"
    return whole(head(header, length(len(body))) + body, 415, own_connection=False)


@kind("a content type that is right, oddly said")
def odd_content_type(random: Random, row: Row) -> Faulty:
    body = as_json(row)
    value = random.choice(
        [
            b"Application/JSON", b"application/json;charset=UTF-8",
            b'application/json; charset="utf-8"', b"application/json ; charset=utf-8",
            b"  application/json  ",
        ]
    )  # fmt: skip
    header = b"Content-Type: " + value + b"\r\n"
    return whole(head(header, length(len(body))) + body, 200, own_connection=False)


@kind("no content type, or two")
def content_type_count(random: Random, row: Row) -> Faulty:
    body = as_json(row)
    headers = [JSON_HEADER] * random.choice([0, 2, 3])
    return whole(head(*headers, length(len(body))) + body, 415, own_connection=False)


@kind("a method the path does not take")
def wrong_method(random: Random, row: Row) -> Faulty:
    methods = [b"GET", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"PROPFIND", b"PURGE"]
    path = random.choice([b"/predict", b"/predict/batch"])
    made = head(method=random.choice(methods), path=path)
    return whole(made, 405, own_connection=False)


@kind("a method that does not exist")
def strange_method(random: Random, row: Row) -> Faulty:
    strange = [b"BREW", b"post", b"P\x00ST", b"POST" * 500, b"", b"POST\t", b"\xff"]
    return no_http(head(method=random.choice(strange)))


@kind("HEAD and OPTIONS")
def other_methods(random: Random, row: Row) -> Faulty:
    method = random.choice([b"HEAD", b"OPTIONS"])
    path = random.choice([b"/predict", b"/", b"/" + MARKER.encode()])
    return Faulty(
        (head(method=method, path=path),),
        frozenset({200, 404, 405}),
        to_head=method == b"HEAD",
        own_connection=False,
    )


@kind("CONNECT")
def connect(random: Random, row: Row) -> Faulty:
    return no_http(head(method=b"CONNECT", path=b"example.org:443"), 404, 405)


@kind("a path that does not exist")
def wrong_path(random: Random, row: Row) -> Faulty:
    path = random.choice(
        [
            b"/" + MARKER.encode(), b"/predict/", b"/PREDICT", b"//predict",
            b"/predict/../predict", b"/%00", b"/%ff%fe", b"/predict%2Fbatch%2F",
            b"/.env", b"/../../etc/passwd", b"/predict;a=b", b"/static_content/../x",
            b"/a" * 4000, b"/%", b"/%zz", b"/predict%20", b"/metrics/" + b"a" * 500,
        ]
    )  # fmt: skip
    return whole(request(as_json(row), path=path), 404, own_connection=False)


@kind("a path that is no path")
def no_path(random: Random, row: Row) -> Faulty:
    path = random.choice(
        [b"*", b"predict", b"http://other.example/nowhere", b"?", b"/a b", b"/\xff\xfe"]
    )
    return no_http(request(as_json(row), path=path), 404)


@kind("a very long path", weight=0.1)
def long_path(random: Random, row: Row) -> Faulty:
    path = b"/" + b"a" * random.choice([20_000, 70_000, 1_000_000])
    return no_http(head(method=b"GET", path=path), 404, 414, 431)


@kind("a wrong query")
def wrong_query(random: Random, row: Row) -> Faulty:
    query = random.choice(
        [
            b"reasons", b"reasons=", b"reasons=false", b"reasons=TRUE", b"reasons=1",
            b"reasons=true&reasons=true", b"&&&", b"=", b"a=b", b"reasons=true&a",
            b"reasons=true;", b"%", b"%zz=%zz", b"reasons=%ff", b"reasons=true%00",
            b"&".join([b"a=b"] * 500), b"a=" + MARKER.encode(), b"a" * 9000,
            MARKER.encode() + b"=true", b"reasons=" + MARKER.encode(), b"reasons=true#",
        ]
    )  # fmt: skip
    path = random.choice([b"/predict?", b"/predict/batch?"]) + query
    # A fragment is no part of the query: the last of them is right.
    right = (200,) if query.endswith(b"#") else ()
    return sound(as_json(row), 400, *right, path=path)


@kind("a wrong Idempotency-Key")
def wrong_key(random: Random, row: Row) -> Faulty:
    key = random.choice(
        [b"", b"a" * 256, b"a b", b"\xe9", b"a" * 20_000, MARKER.encode() + b"\xff"]
    )
    header = b"Idempotency-Key: " + key + b"\r\n"
    return whole(request(as_json(row), header), 400, own_connection=False)


@kind("Idempotency-Key twice, or on a batch")
def key_twice(random: Random, row: Row) -> Faulty:
    header = b"Idempotency-Key: " + MARKER.encode() + b"\r\n"
    if random.random() < 0.5:
        made = request(as_json(row), header, header)
    else:
        made = request(as_json([row]), header, path=b"/predict/batch")
    return whole(made, 400, own_connection=False)


@kind("two lengths, or a wrong one")
def wrong_length(random: Random, row: Row) -> Faulty:
    body = as_json(row)
    size = len(body)
    headers = random.choice(
        [
            (length(size), length(size)),
            (length(size), length(5)),
            (length(size), b"Transfer-Encoding: chunked\r\n"),
            (b"Transfer-Encoding: chunked\r\n", length(size)),
            (b"Content-Length: -5\r\n",),
            (b"Content-Length: +5\r\n",),
            (b"Content-Length: 5 5\r\n",),
            (b"Content-Length: 0x10\r\n",),
            (b"Content-Length: \r\n",),
            (b"Content-Length : 5\r\n",),
        ]
    )
    return no_http(head(JSON_HEADER, *headers) + body)


@kind("a wrong transfer coding")
def wrong_coding(random: Random, row: Row) -> Faulty:
    coding = random.choice([b"gzip", b"identity", b"chunked, gzip", b"\xff", b"cow"])
    header = b"Transfer-Encoding: " + coding + b"\r\n"
    return no_http(head(JSON_HEADER, header) + b"0\r\n\r\n")


@kind("wrong chunks")
def wrong_chunks(random: Random, row: Row) -> Faulty:
    chunks = random.choice(
        [
            b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}}}}}\r\n0\r\n\r\n", b"-2\r\n{}\r\n",
            b"FFFFFFFFFFFFFFFFF\r\n{}\r\n", b"2 2\r\n{}\r\n", b"0x2\r\n{}\r\n",
            b"\r\n\r\n", b"2\n{}\n0\n\n", b"\x00\xff\r\n", b"2\r\n{}0\r\n\r\n",
        ]
    )  # fmt: skip
    return no_http(head(JSON_HEADER, b"Transfer-Encoding: chunked\r\n") + chunks)


@kind("chunks with extensions and trailers")
def odd_chunks(random: Random, row: Row) -> Faulty:
    body = as_json(row)
    extension = b";" + b"a" * random.choice([1, 1000])
    end = b"0\r\nTrailer: " + MARKER.encode() + b"\r\n\r\n"
    chunk = b"%x%s\r\n%s\r\n" % (len(body), extension, body)
    made = head(JSON_HEADER, b"Transfer-Encoding: chunked\r\n") + chunk + end
    return no_http(made, 200)


@kind("wrong headers")
def wrong_headers(random: Random, row: Row) -> Faulty:
    header = random.choice(
        [
            b"no colon\r\n", b": no name\r\n", b"a b: c\r\n", b"a\x00: b\r\n",
            b"a: b\x00\r\n", b"a: b\rc\r\n", b"\xff: b\r\n", b"a : b\r\n",
            b"X: 1\r\n folded\r\n", b"a: b\x01\r\n", b"\r: \r\n",
        ]
    )  # fmt: skip
    # Which of them are tolerable is the parser's matter; none may do harm.
    return no_http(request(as_json(row), header), 200, 415)


@kind("many headers", weight=0.1)
def many_headers(random: Random, row: Row) -> Faulty:
    number = random.choice([100, 1000, 20_000])
    flood = b"".join(b"X-%d: a\r\n" % n for n in range(number))
    return no_http(request(as_json(row), flood), 200, 431)


@kind("a huge header", weight=0.1)
def huge_header(random: Random, row: Row) -> Faulty:
    header = b"X: " + b"a" * random.choice([10_000, 100_000, 1_000_000]) + b"\r\n"
    return no_http(request(as_json(row), header), 200, 431)


@kind("a wrong Host, or none")
def wrong_host(random: Random, row: Row) -> Faulty:
    hosts = [b"", b"Host: \r\n", b"Host: a\r\nHost: b\r\n", b"Host: \xff\r\n"]
    body = as_json(row)
    start = b"POST /predict HTTP/1.1\r\n" + random.choice(hosts)
    made = start + JSON_HEADER + length(len(body)) + b"\r\n" + body
    return no_http(made, 200)


@kind("an Expect header")
def expectation(random: Random, row: Row) -> Faulty:
    value = random.choice([b"100-continue", b"200-ok", MARKER.encode()])
    body = as_json(row)
    start = head(JSON_HEADER, length(len(body)), b"Expect: " + value + b"\r\n")
    return Faulty((start, body), frozenset({200, 417}), own_connection=False)


@kind("another protocol")
def other_protocol(random: Random, row: Row) -> Faulty:
    made = random.choice(
        [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\r\n\r\n", b"\x16\x03\x01\x02",
            b"GET / HTTP/3.7\r\n\r\n", b"GET / HTP/1.1\r\n\r\n", b"\x00" * 100,
            b"*1\r\n$4\r\nPING\r\n", b"SSH-2.0-x\r\n", b"GET / HTTP/1.1 x\r\n\r\n",
        ]
    )  # fmt: skip
    # TLS may wait for more before it is seen to be wrong.
    return Faulty((made,), NO_HTTP | {200, 404}, then="half_close")


@kind("random bytes")
def random_bytes(random: Random, row: Row) -> Faulty:
    made = b"\xff" + random.randbytes(random.randint(1, 3000))
    return Faulty((made,), NO_HTTP, then="half_close")


@kind("HTTP/1.0")
def old_protocol(random: Random, row: Row) -> Faulty:
    keep = random.choice([b"", b"Connection: keep-alive\r\n"])
    made = request(as_json(row), keep).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    return whole(made, 200)


@kind("an upgrade")
def upgrade(random: Random, row: Row) -> Faulty:
    to = random.choice([b"websocket", b"h2c", b"TLS/1.0", MARKER.encode()])
    headers = (b"Connection: Upgrade\r\n", b"Upgrade: " + to + b"\r\n")
    made = head(*headers, b"Sec-WebSocket-Version: 13\r\n", method=b"GET")
    # A websocket's handshake without its key is wrong, with it is not for us.
    key = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    if random.random() < 0.5:
        made = made.replace(b"Sec-WebSocket-Version", key + b"Sec-WebSocket-Version")
    return no_http(made, 403, 405, 426)


@kind("pipelining")
def pipelining(random: Random, row: Row) -> Faulty:
    number = random.randint(2, 20)
    made = b"".join(
        request(random.choice([as_json(row), b"{}", b"[", b""])) for _ in range(number)
    )
    return Faulty((made,), frozenset({200, 400}), answers=number, own_connection=False)


@kind("a request after a wrong one")
def smuggled(random: Random, row: Row) -> Faulty:
    body = b"0\r\n\r\nPOST /predict HTTP/1.1\r\nHost: a\r\n\r\n"
    headers = (length(4), b"Transfer-Encoding: chunked\r\n")
    return no_http(head(JSON_HEADER, *headers) + body)


@kind("a client that sends no more")
def half_closed(random: Random, row: Row) -> Faulty:
    body = as_json(row)
    made = request(body)
    if random.random() < 0.5:
        made = made[: random.randrange(1, len(made))]
    return Faulty((made,), frozenset({200, 400, 408, CLOSED}), then="half_close")


@kind("a client that leaves")
def leaving(random: Random, row: Row) -> Faulty:
    made = request(as_json(row))
    cut = made[: random.randrange(len(made) + 1)]
    return Faulty((cut,), frozenset({CLOSED}), then=random.choice(["close", "reset"]))


@kind("a head that stops", weight=0.01)
def stopping_head(random: Random, row: Row) -> Faulty:
    made = head(JSON_HEADER)
    cut = made[: random.randrange(len(made) - 2)]
    return Faulty((cut,), frozenset({408, CLOSED}))
