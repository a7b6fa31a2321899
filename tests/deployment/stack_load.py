"""Callers of the gateway that go on whatever happens, and remember what they saw."""

import ssl
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

_CALLERS = 3
_PAUSE_SECONDS = 0.1
# A caller's own patience; nothing is asserted about it.
_TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True)
class Seen:
    """One answer, or its absence.

    Attributes:
        at: Seconds of the monotonic clock when it was asked.
        until: When the answer was there.
        status: Of the answer; 0 without one.
        decision_id: Of a decision.
        degraded: Whether the store was not asked though the caller needed it.
    """

    at: float
    until: float
    status: int
    decision_id: str = ""
    degraded: bool = False

    @property
    def failed(self) -> bool:
        """Whether the caller got no decision."""
        return self.status != httpx.codes.OK


@dataclass
class Load:
    """Callers that ask for decisions at a steady pace.

    Attributes:
        url: The gateway.
        key: API key of the callers.
        certificate: What the callers believe.
        applications: Bodies, taken in turn.
        seen: What was answered, in the order of the answers.
    """

    url: str
    key: str
    certificate: str
    applications: Sequence[dict[str, Any]]
    seen: list[Seen] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Let the callers ask until the block is left."""
        stop = threading.Event()
        callers = [
            threading.Thread(target=self._call, args=(stop, number), daemon=True)
            for number in range(_CALLERS)
        ]
        for caller in callers:
            caller.start()
        try:
            yield self
        finally:
            stop.set()
            for caller in callers:
                caller.join()

    def ask(self, client: httpx.Client, body: dict[str, Any]) -> Seen:
        """Ask once, under an Idempotency-Key as careful callers do."""
        at = time.monotonic()
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        try:
            answer = client.post("/predict", json=body, headers=headers)
        except httpx.HTTPError:
            return Seen(at, time.monotonic(), 0)
        if answer.status_code != httpx.codes.OK:
            return Seen(at, time.monotonic(), answer.status_code)
        decision = answer.json()
        return Seen(
            at,
            time.monotonic(),
            answer.status_code,
            decision["decision_id"],
            decision["feature_source"] == "degraded",
        )

    def client(self) -> httpx.Client:
        """Make a client of the gateway."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.key}"},
            verify=ssl.create_default_context(cafile=self.certificate),
            timeout=_TIMEOUT_SECONDS,
        )

    def since(self, moment: float) -> list[Seen]:
        """Give what was asked after a moment."""
        return [each for each in list(self.seen) if each.at >= moment]

    def _call(self, stop: threading.Event, number: int) -> None:
        with self.client() as client:
            while not stop.is_set():
                body = self.applications[number % len(self.applications)]
                self.seen.append(self.ask(client, body))
                number += _CALLERS
                stop.wait(_PAUSE_SECONDS)


def trouble_seconds(seen: Sequence[Seen]) -> float:
    """Say how long answers failed or were degraded: from the first to the last."""
    bad = [each for each in seen if each.failed or each.degraded]
    if not bad:
        return 0.0
    return max(each.until for each in bad) - min(each.at for each in bad)
