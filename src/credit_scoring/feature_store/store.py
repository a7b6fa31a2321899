"""The store of histories as the service uses it."""

from collections.abc import Sequence
from dataclasses import dataclass

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.feature_store.circuit import Circuit
from credit_scoring.feature_store.connection import StoreConnection
from credit_scoring.feature_store.layout import store_layout
from credit_scoring.feature_store.observer import StoreObserver
from credit_scoring.feature_store.reader import HistoryReader, Limits
from credit_scoring.feature_store.write_through import Retention, WriteThrough


@dataclass(frozen=True)
class StoreSettings:
    """Where the store is, and how it is used.

    Attributes:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        namespace: Tells the environments apart that share a server.
        limits: How long it is waited for.
        retention: How many histories wait, and how long they are kept.
    """

    url: str
    namespace: str
    limits: Limits
    retention: Retention


class HistoryStore:
    """Histories by loan id: completes applications, and remembers their histories.

    Nothing here raises or keeps an answer waiting beyond the limits, whatever
    becomes of the server. One event loop uses it.
    """

    def __init__(
        self,
        settings: StoreSettings,
        *,
        contract: Contract,
        decoder: RequestDecoder,
        feature_version: str,
        observer: StoreObserver,
    ) -> None:
        """Compose the store; nothing is opened.

        Args:
            settings: Where the store is.
            contract: Names the history columns.
            decoder: Of the same contract; it makes the applications.
            feature_version: Of the features computed from the histories; part
                of every key.
            observer: Told what happens.

        Raises:
            FeatureStoreError: If the address or the namespace cannot be used, or
                the contract has no history.
        """
        layout = store_layout(
            contract,
            decoder,
            namespace=settings.namespace,
            feature_version=feature_version,
        )
        self._columns = layout.columns
        timeout_ms = settings.limits.connect_timeout_ms
        self._reader = HistoryReader(
            connection=StoreConnection(settings.url, connect_timeout_ms=timeout_ms),
            layout=layout,
            limits=settings.limits,
            observer=observer,
        )
        # A connection of its own: writing must not delay reading.
        self._writer = WriteThrough(
            connection=StoreConnection(settings.url, connect_timeout_ms=timeout_ms),
            layout=layout,
            retention=settings.retention,
            observer=observer,
        )

    @property
    def circuit(self) -> Circuit:
        """Whether the store is asked."""
        return self._reader.circuit

    async def start(self) -> None:
        """Connect before the first application; a store that is down is no error."""
        await self._reader.start()

    async def close(self) -> None:
        """Write what waits, if that is quickly done, and close the connections."""
        await self._writer.close()
        await self._reader.close()

    async def complete(self, application: Application) -> Application | None:
        """Give an application its history.

        Args:
            application: Without its history.

        Returns:
            The application as if it had carried the history; None if the store
            has none, or cannot be read in time.
        """
        history = await self._reader.fetch(application.loan_id)
        if history is None:
            return None
        return self._columns.complete(application, history.values)

    async def complete_many(
        self, applications: Sequence[Application]
    ) -> list[Application | None]:
        """Give applications their histories, with one question for many."""
        histories = await self._reader.fetch_many([a.loan_id for a in applications])
        return [
            history and self._columns.complete(application, history.values)
            for application, history in zip(applications, histories, strict=True)
        ]

    def remember(self, application: Application) -> None:
        """Have the history of an application written, later and in the background.

        Args:
            application: With its history.
        """
        self._writer.put(application)
