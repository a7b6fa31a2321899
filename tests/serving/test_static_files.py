"""Static answers: compressed for those who take it, not sent twice."""

import asyncio
from gzip import decompress

import pytest

from credit_scoring.serving.messages import Reply
from credit_scoring.serving.static_files import StaticFile

LONG = b"a" * 2000


def asked(file: StaticFile, **headers: bytes) -> Reply:
    named = [(k.replace("_", "-").encode(), v) for k, v in headers.items()]
    scope = {"headers": named}

    async def receive() -> dict[str, object]:
        raise AssertionError("it reads no body")

    return asyncio.run(file(scope, receive))


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [(b"gzip", True), (b"br, gzip;q=0.5", True), (b"gzip;q=0", False), (b"br", False)],
)
def test_it_is_compressed_for_those_who_take_it(accepted: bytes, zipped: bool) -> None:
    reply = asked(StaticFile(LONG, "text/plain"), accept_encoding=accepted)
    headers = dict(reply.headers)
    assert (headers.get(b"content-encoding") == b"gzip") is zipped
    assert (decompress(reply.body) if zipped else reply.body) == LONG
    assert headers[b"vary"] == b"accept-encoding"


def test_what_the_client_has_is_not_sent_again() -> None:
    file = StaticFile(LONG, "text/plain", headers=((b"x-own", b"1"),))
    tag = dict(asked(file).headers)[b"etag"]
    again = asked(file, if_none_match=b'"other", W/' + tag)
    assert (again.status, again.body) == (304, b"")
    assert dict(again.headers)[b"x-own"] == b"1"
    other = asked(StaticFile(LONG + b"b", "text/plain"), if_none_match=tag)
    assert other.status == 200


def test_what_is_short_is_not_compressed() -> None:
    reply = asked(StaticFile(b"ab", "text/plain"), accept_encoding=b"gzip")
    assert reply.body == b"ab"
