"""Histories by loan id, read for applications that do not carry their own.

Reading never raises and never waits longer than it may: a store that is down,
slow, full or holds something unreadable gives no history, and the observer is told
why. Questions that come up in one turn of the event loop, and those that come up
while another is on its way, go to the server as one.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from credit_scoring.errors import StoredValueError
from credit_scoring.feature_store.circuit import Circuit
from credit_scoring.feature_store.connection import (
    StoreConnection,
    StoreUnavailableError,
)
from credit_scoring.feature_store.encoding import History
from credit_scoring.feature_store.layout import StoreLayout
from credit_scoring.feature_store.observer import Fault, StoreObserver

_LOG = logging.getLogger(__name__)

# Decoding more at once would keep other connections waiting.
_MOST_TOGETHER = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the store is waited for.

    Attributes:
        timeout_ms: Longest wait for a history, connecting included.
        connect_timeout_ms: Longest time for a connection that nobody waits for.
        retry_ms: Time between attempts while the store does not answer.
    """

    timeout_ms: int = 20
    connect_timeout_ms: int = 1000
    retry_ms: int = 500


@dataclass(frozen=True, slots=True)
class _Waiting:
    loan_id: str
    found: asyncio.Future[History | None]


class HistoryReader:
    """Reads histories; one event loop uses it."""

    def __init__(
        self,
        *,
        connection: StoreConnection,
        layout: StoreLayout,
        limits: Limits,
        observer: StoreObserver,
    ) -> None:
        """Compose the parts; nothing is opened.

        Args:
            connection: To the server; nothing else may use it.
            layout: Where histories are, and what they look like.
            limits: How long to wait.
            observer: Told what happens.
        """
        self.circuit = Circuit(observer)
        self._connection = connection
        self._layout = layout
        self._limits = limits
        self._observer = observer
        self._in_use = asyncio.Lock()
        self._waiting: list[_Waiting] = []
        self._waiting_since = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._probing: asyncio.Task[None] | None = None

    async def fetch(self, loan_id: str) -> History | None:
        """Read the history of one loan, together with those asked for meanwhile.

        Returns:
            The history; None if there is none, or it cannot be read in time.
        """
        if not self.circuit.is_closed:
            self._observer.failed("read", Fault.CIRCUIT_OPEN, 1)
            return None
        loop = asyncio.get_running_loop()
        found: asyncio.Future[History | None] = loop.create_future()
        if not self._waiting:
            self._waiting_since = loop.time()
        self._waiting.append(_Waiting(loan_id, found))
        if self._asking is None:
            # A task starts in the next turn of the loop, when all that came up
            # in this one are here.
            self._asking = loop.create_task(self._ask_for_waiting())
        return await found

    async def fetch_many(self, loan_ids: Sequence[str]) -> list[History | None]:
        """Read the histories of many loans.

        Each part of 256 is waited for as long as a single history; when the
        store has stopped answering, the rest is not asked for.

        Returns:
            In the order given; None where there is none, or it cannot be read.
        """
        histories: list[History | None] = []
        for start in range(0, len(loan_ids), _MOST_TOGETHER):
            part = loan_ids[start : start + _MOST_TOGETHER]
            deadline = asyncio.get_running_loop().time() + self._seconds
            histories += await self._read(part, deadline)
        return histories

    async def start(self) -> None:
        """Connect before the first question; a server that is down is no error."""
        await self._probe()
        if not self.circuit.is_closed:
            self._arrange_probes()

    async def close(self) -> None:
        """Stop asking and close the connection."""
        for task in (self._probing, self._asking):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._probing = self._asking = None
        await self._connection.close()

    @property
    def _seconds(self) -> float:
        return self._limits.timeout_ms / 1000

    async def _ask_for_waiting(self) -> None:
        together: list[_Waiting] = []
        try:
            while self._waiting:
                together = self._waiting[:_MOST_TOGETHER]
                self._waiting = self._waiting[_MOST_TOGETHER:]
                deadline = self._waiting_since + self._seconds
                histories = await self._read([w.loan_id for w in together], deadline)
                _settle(together, histories)
        finally:
            self._asking = None
            left, self._waiting = [*together, *self._waiting], []
            _settle(left, [None] * len(left))

    async def _read(
        self, loan_ids: Sequence[str], deadline: float
    ) -> list[History | None]:
        if not self.circuit.is_closed:
            self._observer.failed("read", Fault.CIRCUIT_OPEN, len(loan_ids))
            return [None] * len(loan_ids)
        started = perf_counter()
        fault = Fault.UNEXPECTED
        try:
            stored = await self._asked(loan_ids, deadline)
            self.circuit.succeeded()
            return self._decoded(loan_ids, stored)
        except TimeoutError:
            fault = Fault.TIMEOUT
        except StoreUnavailableError as error:
            fault = error.fault
        except Exception as error:  # noqa: BLE001 - no answer may fail for the store
            # Its type alone: the message may repeat a key.
            _LOG.error("the feature store failed with %s", type(error).__name__)
            await self._connection.close()
        finally:
            self._observer.read_in(perf_counter() - started)
        self._observer.failed("read", fault, len(loan_ids))
        if self.circuit.failed(fault):
            self._arrange_probes()
        return [None] * len(loan_ids)

    async def _asked(
        self, loan_ids: Sequence[str], deadline: float
    ) -> Sequence[bytes | None]:
        async with asyncio.timeout_at(deadline), self._in_use:
            answer: Sequence[bytes | None] = await self._connection.ask(
                "MGET", *map(self._layout.keys.history, loan_ids)
            )
        return answer

    def _decoded(
        self, loan_ids: Sequence[str], stored: Sequence[bytes | None]
    ) -> list[History | None]:
        histories: list[History | None] = []
        misses = hits = 0
        for loan_id, value in zip(loan_ids, stored, strict=True):
            history = None
            if value is None:
                misses += 1
            else:
                try:
                    history = self._layout.encoding.decode(loan_id, value)
                    hits += 1
                except StoredValueError as error:
                    self._observer.failed("read", Fault(error.kind), 1)
            histories.append(history)
        self._observer.looked_up(hits=hits, misses=misses)
        return histories

    def _arrange_probes(self) -> None:
        if self._probing is None or self._probing.done():
            self._probing = asyncio.get_running_loop().create_task(self._probe_often())

    async def _probe_often(self) -> None:
        while not self.circuit.is_closed:
            await asyncio.sleep(self._limits.retry_ms / 1000)
            self.circuit.probing()
            await self._probe()

    async def _probe(self) -> None:
        """Connect, without haste, and ask for something within the usual time."""
        fault = Fault.UNEXPECTED
        try:
            async with self._in_use:
                await self._connection.connect()
                async with asyncio.timeout(self._seconds):
                    await self._connection.ask("MGET", self._layout.keys.marker)
            self.circuit.succeeded()
            return
        except TimeoutError:
            fault = Fault.TIMEOUT
        except StoreUnavailableError as error:
            fault = error.fault
        except Exception as error:  # noqa: BLE001 - tried again until it succeeds
            _LOG.error("the feature store failed with %s", type(error).__name__)
        self._observer.failed("read", fault, 0)
        self.circuit.probe_failed(fault)


def _settle(waiting: Sequence[_Waiting], histories: Sequence[History | None]) -> None:
    for one, history in zip(waiting, histories, strict=True):
        if not one.found.done():  # else the client left, or it is settled
            one.found.set_result(history)
