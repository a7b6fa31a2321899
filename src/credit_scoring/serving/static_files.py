"""Answers that are the same for everybody: whole, compressed, and revalidated."""

import gzip
import hashlib

from credit_scoring.serving.messages import Receive, Reply, Scope
from credit_scoring.serving.problems import Header

# Below it a compressed answer is no shorter on the wire.
_WORTH_COMPRESSING_BYTES = 512


class StaticFile:
    """One answer to everybody, made once.

    A browser keeps it and asks each time whether it is still the same, which costs
    an answer without a body.
    """

    def __init__(
        self, content: bytes, content_type: str, *, headers: tuple[Header, ...] = ()
    ) -> None:
        """Compress and name the content.

        Args:
            content: The whole body.
            content_type: Its media type.
            headers: Besides those of caching and of the type.
        """
        kept = (
            (b"cache-control", b"no-cache"),
            (b"vary", b"accept-encoding"),
            *headers,
        )
        typed = ((b"content-type", content_type.encode()), *kept)
        digest = hashlib.sha256(content).hexdigest()[:32]
        self._plain = _reply(content, f'"{digest}"', typed)
        self._zipped: Reply | None = None
        if len(content) >= _WORTH_COMPRESSING_BYTES:
            zipped = gzip.compress(content, 9, mtime=0)
            encoded = (*typed, (b"content-encoding", b"gzip"))
            self._zipped = _reply(zipped, f'"{digest}-gzip"', encoded)
        self._kept = kept

    async def __call__(self, scope: Scope, receive: Receive) -> Reply:
        """Give it, or say that the client has it."""
        accepted, known = b"", b""
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accepted = value
            elif name == b"if-none-match":
                known = value
        reply = self._plain
        if self._zipped is not None and _takes_gzip(accepted):
            reply = self._zipped
        etag = dict(reply.headers)[b"etag"]
        if etag in {tag.strip().removeprefix(b"W/") for tag in known.split(b",")}:
            return Reply(304, b"", ((b"etag", etag), *self._kept))
        return reply


def _reply(body: bytes, etag: str, headers: tuple[Header, ...]) -> Reply:
    return Reply(200, body, (*headers, (b"etag", etag.encode())))


def _takes_gzip(accepted: bytes) -> bool:
    for coding in accepted.lower().split(b","):
        name, _, quality = coding.replace(b" ", b"").partition(b";")
        if name == b"gzip":
            return quality not in {b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"}
    return False
