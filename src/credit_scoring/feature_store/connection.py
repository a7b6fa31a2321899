"""One connection to a Redis server, with failures sorted by kind.

It is used by one task at a time. Whatever fails in the middle of an exchange, a
cancellation included, closes it: a late answer must never meet another question.
"""

import asyncio
from typing import Any

from redis import exceptions
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from credit_scoring.errors import FeatureStoreError
from credit_scoring.feature_store.observer import Fault

Argument = bytes | str | int


class StoreUnavailableError(FeatureStoreError):
    """The server has not done what was asked; the fault says why.

    The message never has the server's own words: they may repeat a key.
    """

    def __init__(self, fault: Fault) -> None:
        """Say what kind of failure it is."""
        super().__init__(f"the feature store failed: {fault.value}")
        self.fault = fault


class StoreConnection:
    """Asks a Redis server, and connects when it has to."""

    def __init__(self, url: str, *, connect_timeout_ms: int) -> None:
        """Point at a server; nothing is opened.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``, with what it takes
                to sign in.
            connect_timeout_ms: Longest time to connect and sign in.

        Raises:
            FeatureStoreError: If the address cannot be read. The message does
                not have it: it may hold a password.
        """
        self._pool = _pool(url)
        self._connect_timeout_seconds = connect_timeout_ms / 1000
        self._connection: AbstractConnection | None = None

    async def ask(self, *command: Argument) -> Any:
        """Send one command and give its answer.

        A connection that the server has closed meanwhile is opened anew, once.

        Raises:
            StoreUnavailableError: If it has no good answer; its fault says why.
        """
        reused = self._connection is not None
        try:
            return await self._exchange(command)
        except StoreUnavailableError as error:
            if not (reused and error.fault is Fault.CONNECTION):
                raise
        return await self._exchange(command)

    async def connect(self) -> None:
        """Open the connection, unless it is open.

        Raises:
            StoreUnavailableError: If it cannot be opened; its fault says why.
        """
        try:
            if self._connection is None:
                await self._connect()
        except (exceptions.RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailableError(fault_of(error)) from None

    async def close(self) -> None:
        """Close the connection; asking opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _exchange(self, command: tuple[Argument, ...]) -> Any:
        try:
            connection = self._connection or await self._connect()
            await connection.send_command(*command, check_health=False)
            answer = await connection.read_response(disable_decoding=True)
        except exceptions.ResponseError as error:
            # The answer is complete, so the connection stays usable; but a primary
            # that has become a replica is left, to look for the new one.
            if isinstance(error, exceptions.ReadOnlyError):
                await self.close()
            raise StoreUnavailableError(fault_of(error)) from None
        except (exceptions.RedisError, OSError, TimeoutError) as error:
            await self.close()
            raise StoreUnavailableError(fault_of(error)) from None
        except BaseException:
            await self.close()
            raise
        return answer

    async def _connect(self) -> AbstractConnection:
        connection = _new_connection(self._pool)
        try:
            async with asyncio.timeout(self._connect_timeout_seconds):
                await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._connection = connection
        return connection


def check_address(url: str) -> None:
    """Make sure that an address can be used; nothing is opened.

    Raises:
        FeatureStoreError: If it cannot; the message does not have it.
    """
    _pool(url)


def _pool(url: str) -> ConnectionPool:
    try:
        pool = ConnectionPool.from_url(
            url,
            protocol=2,
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        # An option that it does not know is noticed here.
        _new_connection(pool)
    except (ValueError, TypeError):
        raise FeatureStoreError(
            "the address of the feature store is not one like "
            "redis://host:6379/0, rediss://..., unix:///path"
        ) from None
    return pool


def _new_connection(pool: ConnectionPool) -> AbstractConnection:
    connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
    return connection


def fault_of(error: Exception) -> Fault:
    """Sort a failure of redis-py, or of the network beneath it, by kind."""
    # AuthenticationError is a ConnectionError to redis-py, so the order counts.
    if isinstance(
        error,
        exceptions.AuthenticationError
        | exceptions.AuthorizationError
        | exceptions.NoPermissionError,
    ):
        return Fault.REFUSED
    if isinstance(error, exceptions.OutOfMemoryError):
        return Fault.FULL
    if isinstance(error, exceptions.BusyLoadingError | exceptions.ResponseError):
        # A script is refused with the word somewhere in the message.
        return Fault.FULL if "OOM " in str(error) else Fault.SERVER
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return Fault.TIMEOUT
    return Fault.CONNECTION
