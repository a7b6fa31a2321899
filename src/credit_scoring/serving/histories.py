"""Where the history of an application comes from that does not carry its own."""

from collections.abc import Sequence
from typing import Protocol

from prometheus_client import REGISTRY, CollectorRegistry

from credit_scoring.contract.model import Contract, Role
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.serving.settings import Settings


class Histories(Protocol):
    """Completes applications, and remembers histories that came with requests.

    Nothing of it raises, or keeps an answer waiting longer than its settings say.
    """

    async def start(self) -> None:
        """Make ready, before the first application."""

    async def close(self) -> None:
        """Finish what is under way, after the last one."""

    async def complete(self, application: Application) -> Application | None:
        """Give an application its history; None if it is not at hand."""

    async def complete_many(
        self, applications: Sequence[Application]
    ) -> list[Application | None]:
        """Give applications their histories, each in its place."""

    def remember(self, application: Application) -> None:
        """Keep the history of an application for later ones without."""


class NoHistories:
    """There is no store: no application is completed, nothing is remembered."""

    async def start(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def complete(self, application: Application) -> Application | None:
        """Have no history."""
        return None

    async def complete_many(
        self, applications: Sequence[Application]
    ) -> list[Application | None]:
        """Have no histories."""
        return [None] * len(applications)

    def remember(self, application: Application) -> None:
        """Do nothing."""


def open_histories(
    settings: Settings,
    *,
    contract: Contract,
    decoder: RequestDecoder,
    feature_version: str,
    registry: CollectorRegistry = REGISTRY,
) -> Histories:
    """Open the store that the settings name; none if they name none.

    A contract without history columns has nothing to keep in it.

    Args:
        settings: The service's.
        contract: That the service reads requests under.
        decoder: Of the same contract.
        feature_version: Of the champion's features.
        registry: Takes the store's metrics.

    Raises:
        FeatureStoreError: If the store's address cannot be used.
    """
    if settings.redis_url is None or not contract.names(Role.HISTORY):
        return NoHistories()
    # Redis takes a third of a second to import, which others need not spend.
    from credit_scoring.feature_store.reader import Limits
    from credit_scoring.feature_store.store import HistoryStore, StoreSettings
    from credit_scoring.feature_store.write_through import Retention
    from credit_scoring.serving.history_metrics import HistoryMetrics

    return HistoryStore(
        StoreSettings(
            url=settings.redis_url.get_secret_value(),
            namespace=settings.redis_namespace,
            limits=Limits(
                timeout_ms=settings.redis_timeout_ms,
                connect_timeout_ms=settings.redis_connect_timeout_ms,
                retry_ms=settings.redis_retry_ms,
            ),
            retention=Retention(
                seconds_to_live=settings.seconds_to_live,
                queue_length=settings.history_queue_length,
                retry_ms=settings.redis_retry_ms,
            ),
        ),
        contract=contract,
        decoder=decoder,
        feature_version=feature_version,
        observer=HistoryMetrics(registry),
    )
