"""Retries: the header ``Idempotency-Key`` gets the same decision, never a second one.

An answer is kept in the process, and in a store that all workers share if there is
one. Of the request only a digest is kept, of the key too: it may name a person.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple, Protocol

import msgspec

from credit_scoring.errors import CreditScoringError
from credit_scoring.serving.idempotency_metrics import IdempotencyMetrics
from credit_scoring.serving.messages import Reply, decision_reply
from credit_scoring.serving.problems import (
    Header,
    decision_in_progress,
    idempotency_key_reused,
    invalid_parameter,
)

HEADER = "Idempotency-Key"
REPLAYED: Header = (b"idempotency-replayed", b"true")

_NAME = HEADER.lower().encode()
_LONGEST_KEY = 255
_VISIBLE = frozenset(range(0x21, 0x7F))
# A decision takes milliseconds; whoever waits so long for another worker's is told.
_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.02

Body = bytes


class Asked(NamedTuple):
    """What is asked for under a key.

    Attributes:
        name: SHA-256 of the key.
        digest: SHA-256 of what was sent; equal for a retry.
    """

    name: bytes
    digest: bytes


class Kept(NamedTuple):
    """An answer that was given, or that is being worked on.

    Attributes:
        digest: Of the request that it answers.
        body: The answer; None as long as there is none.
    """

    digest: bytes
    body: Body | None


class SharedAnswersError(CreditScoringError, RuntimeError):
    """The store that workers share does not do what it was asked."""


class SharedAnswers(Protocol):
    """A store of answers that all workers share."""

    async def claim(self, asked: Asked) -> Kept | None:
        """Take the right to answer, unless somebody has it or has answered.

        Returns:
            None if the right is taken now; otherwise what is there.

        Raises:
            SharedAnswersError: If the store cannot say.
        """

    async def keep(self, asked: Asked, body: Body) -> None:
        """Keep the answer, and give the right up.

        Raises:
            SharedAnswersError: If it is not kept.
        """

    async def release(self, asked: Asked) -> None:
        """Give the right up without an answer.

        Raises:
            SharedAnswersError: If the store cannot say; the right ends by itself.
        """

    async def close(self) -> None:
        """Close what is open; nothing is asked any more."""


def key_of(headers: Sequence[Header]) -> bytes | None:
    """Find the idempotency key among a request's headers.

    Raises:
        ProblemError: If it has another form than it must, or comes twice.
    """
    key: bytes | None = None
    for name, value in headers:
        if name == _NAME:
            right = 0 < len(value) <= _LONGEST_KEY and _VISIBLE.issuperset(value)
            if key is not None or not right:
                raise invalid_parameter(
                    f"expected 1 to {_LONGEST_KEY} visible ASCII characters, once",
                    name=HEADER,
                )
            key = value
    return key


def refuse_key(headers: Sequence[Header]) -> None:
    """Refuse the header where a retry would be decided again.

    Raises:
        ProblemError: If it is there.
    """
    if key_of(headers) is not None:
        raise invalid_parameter("this path does not take it", name=HEADER)


def asked_for(
    key: bytes, body: bytes, *, explain: bool, interval: bool = False
) -> Asked:
    """Name what is asked for: the body to the byte, and what the query says."""
    said = (b"reasons" if explain else b"") + (b"interval" if interval else b"")
    digest = hashlib.sha256(said + b"\0" + body).digest()
    return Asked(hashlib.sha256(key).digest(), digest)


class LocalAnswers:
    """The answers that this process has given: the newest ones, for some time."""

    def __init__(
        self,
        *,
        most: int,
        seconds: float,
        metrics: IdempotencyMetrics,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Bound the store.

        Args:
            most: Most answers; the least recently asked for are forgotten.
            seconds: How long an answer is kept.
            metrics: Counts answers that were forgotten too early.
            clock: Tells the time in seconds.
        """
        self._most = most
        self._seconds = seconds
        self._metrics = metrics
        self._clock = clock
        self._answers: OrderedDict[bytes, tuple[float, Kept]] = OrderedDict()

    def find(self, name: bytes) -> Kept | None:
        """Find the answer given under a key; None if there is none any more."""
        found = self._answers.get(name)
        if found is None:
            return None
        ends, kept = found
        if ends <= self._clock():
            del self._answers[name]
            return None
        self._answers.move_to_end(name)
        return kept

    def keep(self, asked: Asked, body: Body) -> None:
        """Keep an answer."""
        now = self._clock()
        self._answers[asked.name] = (now + self._seconds, Kept(asked.digest, body))
        self._answers.move_to_end(asked.name)
        while len(self._answers) > self._most:
            _, (ends, _kept) = self._answers.popitem(last=False)
            if ends > now:
                self._metrics.count_forgotten()

    def __len__(self) -> int:
        """Count the answers."""
        return len(self._answers)


@dataclass(frozen=True, slots=True)
class _Working:
    digest: bytes
    done: asyncio.Event


class Idempotency:
    """Answers each key once, in this process and through the shared store."""

    def __init__(
        self,
        local: LocalAnswers,
        metrics: IdempotencyMetrics,
        shared: SharedAnswers | None = None,
    ) -> None:
        """Answer with the help of stores.

        Args:
            local: Always there.
            metrics: Counts repeated answers and degradations.
            shared: What other workers see, too; without it a retry must reach
                the same worker.
        """
        self._local = local
        self._metrics = metrics
        self._shared = shared
        self._working: dict[bytes, _Working] = {}

    async def answer(
        self, asked: Asked, decide: Callable[[], Awaitable[Reply]]
    ) -> Reply:
        """Give the answer kept under a key, or decide and keep that.

        Those who ask for the same while it is being decided wait for it. An
        answer that is not a decision is not kept.

        Args:
            asked: Key and request.
            decide: Makes a new answer.

        Raises:
            ProblemError: If the key was used for another request (409), or another
                worker does not come to an end with it (503).
        """
        while (working := self._working.get(asked.name)) is not None:
            if working.digest != asked.digest:
                raise self._conflict()
            await working.done.wait()
        kept = self._local.find(asked.name)
        if kept is not None:
            return self._replay(asked, kept)
        self._working[asked.name] = working = _Working(asked.digest, asyncio.Event())
        try:
            return await self._decide(asked, decide)
        finally:
            del self._working[asked.name]
            working.done.set()

    async def close(self) -> None:
        """Leave the shared store; the last request is answered."""
        if self._shared is not None:
            await self._shared.close()

    async def _decide(
        self, asked: Asked, decide: Callable[[], Awaitable[Reply]]
    ) -> Reply:
        shared = await self._claim(asked)
        if isinstance(shared, Kept):
            reply = self._replay(asked, shared)
            self._local.keep(asked, reply.body)
            return reply
        try:
            reply = await decide()
        except BaseException:
            await self._tell(shared, asked, None)
            raise
        self._local.keep(asked, reply.body)
        await self._tell(shared, asked, reply.body)
        return reply

    async def _claim(self, asked: Asked) -> Kept | SharedAnswers | None:
        """Ask the shared store.

        Returns:
            The answer that is there already; or the store, with the right to
            answer; or None if it is to be answered without a store.
        """
        if self._shared is None:
            return None
        gives_up = monotonic() + _WAIT_SECONDS
        while True:
            try:
                kept = await self._shared.claim(asked)
            except SharedAnswersError:
                self._metrics.count_degradation("claim")
                return None
            if kept is None:
                return self._shared
            if kept.digest != asked.digest:
                raise self._conflict()
            if kept.body is not None:
                return kept
            if monotonic() > gives_up:
                raise decision_in_progress()
            await asyncio.sleep(_POLL_SECONDS)

    async def _tell(
        self, shared: SharedAnswers | None, asked: Asked, body: Body | None
    ) -> None:
        if shared is None:
            return
        try:
            if body is None:
                await shared.release(asked)
            else:
                await shared.keep(asked, body)
        except SharedAnswersError:
            self._metrics.count_degradation("release" if body is None else "keep")

    def _replay(self, asked: Asked, kept: Kept) -> Reply:
        if kept.digest != asked.digest:
            raise self._conflict()
        self._metrics.count_replayed()
        answer = decision_reply(kept.body or b"")
        return msgspec.structs.replace(answer, headers=(*answer.headers, REPLAYED))

    def _conflict(self) -> Exception:
        self._metrics.count_conflict()
        return idempotency_key_reused()
