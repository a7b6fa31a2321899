"""Histories that came with requests, written to the store off the answers' path.

They wait in a queue that holds so many and no more: when the store does not take
them, the oldest are dropped and counted, and the newest are written as soon as it
does. Of one loan the newest history alone is kept.
"""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass

from credit_scoring.contract.request import Application
from credit_scoring.feature_store.connection import (
    Argument,
    StoreConnection,
    StoreUnavailableError,
)
from credit_scoring.feature_store.layout import StoreLayout
from credit_scoring.feature_store.observer import Fault, StoreObserver
from credit_scoring.feature_store.writing import writing_command

_LOG = logging.getLogger(__name__)

# Writing more at once would keep answers waiting; so would a turn of the loop for
# each, so those that come within a few milliseconds are written together.
_MOST_TOGETHER = 64
_GATHER_SECONDS = 0.005
_LONGEST_WRITE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept, and for how long.

    Attributes:
        seconds_to_live: After so long the store forgets a history.
        queue_length: Most histories that wait to be written.
        retry_ms: Time between attempts while the store takes nothing.
    """

    seconds_to_live: int
    queue_length: int = 10_000
    retry_ms: int = 500


class WriteThrough:
    """Writes histories in the background; one event loop uses it."""

    def __init__(
        self,
        *,
        connection: StoreConnection,
        layout: StoreLayout,
        retention: Retention,
        observer: StoreObserver,
    ) -> None:
        """Compose the parts; nothing is opened.

        Args:
            connection: To the server; nothing else may use it.
            layout: Where histories go, and what they look like.
            retention: How many wait, and how long they are kept.
            observer: Told what happens.
        """
        self._connection = connection
        self._layout = layout
        self._retention = retention
        self._observer = observer
        self._queue: OrderedDict[str, tuple[Application, int]] = OrderedDict()
        self._writing: asyncio.Task[None] | None = None
        self._last_fault: Fault | None = None

    def put(self, application: Application) -> None:
        """Have a history written soon; never waits and never raises.

        Args:
            application: With its history.
        """
        queue = self._queue
        queue[application.loan_id] = (application, time.time_ns() // 1_000_000)
        queue.move_to_end(application.loan_id)
        self._drop_oldest()
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_all())

    async def close(self, grace_seconds: float = 1.0) -> None:
        """Write what waits, if that is quickly done, and close the connection."""
        writing = self._writing
        if writing is not None:
            await asyncio.wait([writing], timeout=grace_seconds)
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
        if self._queue:
            self._observer.dropped(len(self._queue))
            _LOG.warning("%d histories were not written", len(self._queue))
            self._queue.clear()
        await self._connection.close()

    def _drop_oldest(self) -> None:
        excess = len(self._queue) - self._retention.queue_length
        for _ in range(excess):
            self._queue.popitem(last=False)
        if excess > 0:
            self._observer.dropped(excess)

    async def _write_all(self) -> None:
        try:
            await asyncio.sleep(_GATHER_SECONDS)
            while self._queue:
                if not await self._write_some():
                    await asyncio.sleep(self._retention.retry_ms / 1000)
                self._observer.queued(len(self._queue))
        finally:
            self._writing = None

    async def _write_some(self) -> bool:
        """Write the oldest; whether the store has taken them."""
        together = dict(
            self._queue.popitem(last=False)
            for _ in range(min(_MOST_TOGETHER, len(self._queue)))
        )
        try:
            fault = await self._written(together)
        except asyncio.CancelledError:
            self._put_back(together)
            raise
        if fault is None:
            self._observer.wrote(len(together))
            self._note(None)
            return True
        self._observer.failed("write", fault, len(together))
        self._note(fault)
        if fault is not Fault.UNEXPECTED:
            self._put_back(together)
        return False

    def _put_back(self, together: dict[str, tuple[Application, int]]) -> None:
        """Put histories to the front, but for loans of which there is a newer one."""
        self._queue = OrderedDict({**together, **self._queue})
        self._drop_oldest()

    async def _written(
        self, together: dict[str, tuple[Application, int]]
    ) -> Fault | None:
        try:
            command = self._command(together)
            async with asyncio.timeout(_LONGEST_WRITE_SECONDS):
                await self._connection.ask(*command)
        except TimeoutError:
            return Fault.TIMEOUT
        except StoreUnavailableError as error:
            return error.fault
        except Exception as error:  # noqa: BLE001 - no answer may fail for the store
            # Its type alone: the message may repeat a key.
            _LOG.error("histories were not written: %s", type(error).__name__)
            return Fault.UNEXPECTED
        return None

    def _command(self, together: dict[str, tuple[Application, int]]) -> list[Argument]:
        rows = self._layout.columns.values(
            [waiting for waiting, _ in together.values()]
        )
        keys, values = [], []
        for (loan_id, (_, as_of_ms)), row in zip(together.items(), rows, strict=True):
            keys.append(self._layout.keys.history(loan_id))
            values.append(self._layout.encoding.encode(loan_id, row, as_of_ms))
        return writing_command(
            keys,
            values,
            seconds_to_live=self._retention.seconds_to_live,
            now_ms=time.time_ns() // 1_000_000,
        )

    def _note(self, fault: Fault | None) -> None:
        """Log when writing begins to fail, fails otherwise, or succeeds again."""
        if fault is self._last_fault:
            return
        self._last_fault = fault
        if fault is None:
            _LOG.info("the feature store takes histories again")
        else:
            _LOG.warning("the feature store takes no histories (%s)", fault.value)
