"""Answers by idempotency key in Redis, where all workers see them.

The key of a value is the SHA-256 of the client's key. A value is one of

- ``L`` + the holder's token (16 bytes) + digest of the request (32 bytes): a right
  to answer, which ends by itself soon after its holder has ended;
- ``A`` + digest of the request (32 bytes) + the answer.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from credit_scoring.serving.idempotency import Asked, Body, Kept, SharedAnswersError

_LOG = logging.getLogger(__name__)

_TOKEN_BYTES = 16
_DIGEST_BYTES = 32
_LOCK, _ANSWER = b"L", b"A"
# After so long a worker that was killed has lost its right; others renew theirs.
_LOCK_MS = 3_000
_RENEW_SECONDS = 0.7
# While Redis does not answer it is asked once in so long.
_PAUSE_SECONDS = 1.0
_MOST_CONNECTIONS = 32

# Only the holder may replace its right: after it has ended, another may hold it.
_KEEP = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then "
    "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 end return 0"
)
_RENEW = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then "
    "return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
)
_RELEASE = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then "
    "return redis.call('DEL', KEYS[1]) end return 0"
)


class RedisAnswers:
    """Keeps answers in Redis for a time, each step with a short bound."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        seconds: float,
        timeout_ms: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare for a server; it is connected to when it is first asked.

        Args:
            url: Of the server, as redis-py reads it.
            prefix: Begins each key.
            seconds: How long an answer is kept.
            timeout_ms: Longest time for one step.
            clock: Tells the time in seconds.
        """
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MOST_CONNECTIONS,
            timeout=None,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        self._redis: Redis = Redis(connection_pool=pool)
        self._prefix = prefix.encode()
        self._answer_ms = int(seconds * 1000)
        self._timeout_seconds = timeout_ms / 1000
        self._clock = clock
        self._paused_until = 0.0
        self._token = os.urandom(_TOKEN_BYTES)
        self._held: dict[bytes, asyncio.Handle | asyncio.Task[None]] = {}

    async def claim(self, asked: Asked) -> Kept | None:
        """Take the right to answer, unless somebody has it or has answered."""
        kept: Kept | None = await self._bounded(lambda: self._claim(asked))
        if kept is None:
            self._hold(asked)
        return kept

    async def keep(self, asked: Asked, body: Body) -> None:
        """Keep the answer, and give the right up.

        Raises:
            SharedAnswersError: If the right had ended, or Redis does not answer.
        """
        self._let_go(asked)
        answer = _ANSWER + asked.digest + body
        arguments = (self._right(asked), answer, self._answer_ms)
        if not await self._script(_KEEP, asked, *arguments):
            raise SharedAnswersError("the right to answer had ended")

    async def release(self, asked: Asked) -> None:
        """Give the right up without an answer."""
        self._let_go(asked)
        await self._script(_RELEASE, asked, self._right(asked))

    async def close(self) -> None:
        """Close the connections; rights that are held end by themselves."""
        for held in self._held.values():
            held.cancel()
        self._held.clear()
        await self._redis.aclose(close_connection_pool=True)

    async def _claim(self, asked: Asked) -> Kept | None:
        key = self._key(asked)
        while True:
            right = self._right(asked)
            if await self._redis.set(key, right, nx=True, px=_LOCK_MS):
                return None
            value: Any = await self._redis.get(key)
            if value is not None:  # else it has just ended
                return _read(value)

    def _hold(self, asked: Asked) -> None:
        """Have the right renewed for as long as it is held; most are not that long."""
        loop = asyncio.get_running_loop()

        def renew() -> None:
            self._held[asked.name] = loop.create_task(self._renew(asked))

        self._held[asked.name] = loop.call_later(_RENEW_SECONDS, renew)

    def _let_go(self, asked: Asked) -> None:
        held = self._held.pop(asked.name, None)
        if held is not None:
            held.cancel()

    async def _renew(self, asked: Asked) -> None:
        still_ours = True
        while still_ours:
            # Tried again where Redis does not answer: it may do so in time.
            with contextlib.suppress(SharedAnswersError):
                right = self._right(asked)
                still_ours = await self._script(_RENEW, asked, right, _LOCK_MS)
            await asyncio.sleep(_RENEW_SECONDS)

    async def _script(self, script: str, asked: Asked, *arguments: bytes | int) -> Any:
        def run() -> Awaitable[Any]:
            found: Awaitable[Any] = self._redis.eval(
                script, 1, self._key(asked), *arguments
            )
            return found

        return await self._bounded(run)

    async def _bounded(self, step: Callable[[], Awaitable[Any]]) -> Any:
        if self._clock() < self._paused_until:
            raise SharedAnswersError("Redis did not answer a moment ago")
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await step()
        except (RedisError, OSError, TimeoutError) as error:
            self._paused_until = self._clock() + _PAUSE_SECONDS
            # The server's own words may repeat a key.
            _LOG.warning("Redis does not keep answers now: %s", type(error).__name__)
            raise SharedAnswersError("Redis does not answer") from None

    def _key(self, asked: Asked) -> bytes:
        return self._prefix + asked.name.hex().encode()

    def _right(self, asked: Asked) -> bytes:
        # One token does for a process: within it a key is worked on only once.
        return _LOCK + self._token + asked.digest


def _read(value: bytes) -> Kept:
    digest_from = 1 + _TOKEN_BYTES
    if value[:1] == _LOCK and len(value) == digest_from + _DIGEST_BYTES:
        return Kept(value[digest_from:], None)
    if value[:1] == _ANSWER and len(value) > 1 + _DIGEST_BYTES:
        return Kept(value[1 : 1 + _DIGEST_BYTES], value[1 + _DIGEST_BYTES :])
    raise SharedAnswersError("a value in Redis is not one of ours")
