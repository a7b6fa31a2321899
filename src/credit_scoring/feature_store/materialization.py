"""Filling the store from files: many histories, in one pass, in little memory."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import redis
from numpy.typing import NDArray

from credit_scoring.errors import FeatureStoreError
from credit_scoring.feature_store.connection import fault_of
from credit_scoring.feature_store.encoding import HistoryEncoding
from credit_scoring.feature_store.keys import Keys, marker_key
from credit_scoring.feature_store.writing import writing_command

# The server does nothing else meanwhile: so many take it one or two milliseconds.
_MOST_TOGETHER = 500
_TIMEOUT_SECONDS = 30.0
# Fewer new keys than this say little about the memory that one takes.
_FEWEST_MEASURED = 1000


@dataclass(frozen=True)
class HistoryBatch:
    """Histories of some loans.

    Attributes:
        loan_ids: The loans.
        values: Float64, shape (n, n_columns): the history columns in contract
            order; NaN is missing.
    """

    loan_ids: Sequence[str]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Materialization:
    """What a complete materialization wrote; the store holds it as JSON.

    Attributes:
        feature_version: Part of the keys.
        rows: Histories in the data.
        kept_newer: Of these, how many were not written, because the store had
            one that was written later.
        digest: SHA-256 of the loan ids and values, in their order.
        as_of: Time that the histories are of.
        finished_at: When the last was written.
        seconds: How long it took.
        rows_per_second: Rows by seconds.
        value_bytes: Mean length of a value.
        bytes_per_key: Memory of the server for each new key, by its own account;
            None if there were too few.
    """

    feature_version: str
    rows: int
    kept_newer: int
    digest: str
    as_of: str
    finished_at: str
    seconds: float
    rows_per_second: int
    value_bytes: float | None
    bytes_per_key: float | None


class Materializer:
    """Writes histories to a server, in chunks."""

    def __init__(
        self,
        url: str,
        *,
        keys: Keys,
        encoding: HistoryEncoding,
        seconds_to_live: int,
    ) -> None:
        """Point at a server; nothing is opened.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``.
            keys: Where histories go.
            encoding: What they look like.
            seconds_to_live: After so long the server forgets them.
        """
        self._url = url
        self._keys = keys
        self._encoding = encoding
        self._seconds_to_live = seconds_to_live

    def write(
        self,
        batches: Iterable[HistoryBatch],
        *,
        as_of: datetime,
        progress: Callable[[int], None] = lambda rows: None,
    ) -> Materialization:
        """Write histories, and at the very end what was written.

        Until then `current` says what it said before. A run that is killed leaves
        some histories of this data and some of the former: each is one of its
        loan, and another run completes it.

        Args:
            batches: Read one by one.
            as_of: Time that the histories are of. One that was written later is
                left as it is.
            progress: Told the number of rows after each chunk.

        Raises:
            FeatureStoreError: If the server fails; the message says how far it
                came and what is to be done, and nothing of any loan.
            ContractError: If a value is not one that the contract allows.
        """
        rows = 0

        def count(more: int) -> None:
            nonlocal rows
            rows += more
            progress(more)

        try:
            with redis.Redis.from_url(
                self._url,
                socket_timeout=_TIMEOUT_SECONDS,
                socket_connect_timeout=_TIMEOUT_SECONDS,
            ) as client:
                return self._write(client, batches, as_of, count)
        except (redis.RedisError, OSError) as error:
            # Without the cause: its message may repeat a key.
            raise FeatureStoreError(
                f"the feature store failed after {rows} rows: {fault_of(error).value}. "
                "What is written is valid; run it again when the store answers"
            ) from None

    def _write(
        self,
        client: Any,
        batches: Iterable[HistoryBatch],
        as_of: datetime,
        count: Callable[[int], None],
    ) -> Materialization:
        started = time.perf_counter()
        before = _Usage.of(client)
        as_of_ms = int(as_of.timestamp() * 1000)
        totals = _Totals()
        for batch in batches:
            totals.add(batch)
            for start in range(0, len(batch.loan_ids), _MOST_TOGETHER):
                part = slice(start, start + _MOST_TOGETHER)
                loan_ids = batch.loan_ids[part]
                values = [
                    self._encoding.encode(loan_id, row, as_of_ms)
                    for loan_id, row in zip(
                        loan_ids, batch.values[part].tolist(), strict=True
                    )
                ]
                totals.kept_newer += client.execute_command(
                    *writing_command(
                        [self._keys.history(loan_id) for loan_id in loan_ids],
                        values,
                        seconds_to_live=self._seconds_to_live,
                        now_ms=time.time_ns() // 1_000_000,
                    )
                )
                totals.value_bytes += sum(map(len, values))
                count(len(loan_ids))
        seconds = time.perf_counter() - started
        done = Materialization(
            feature_version=self._encoding.version,
            rows=totals.rows,
            kept_newer=totals.kept_newer,
            digest=totals.digest(),
            as_of=as_of.isoformat(),
            finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=round(seconds, 3),
            rows_per_second=round(totals.rows / seconds),
            value_bytes=totals.value_bytes / totals.rows if totals.rows else None,
            bytes_per_key=before.bytes_per_new_key(_Usage.of(client)),
        )
        client.set(self._keys.marker, json.dumps(asdict(done)))
        return done


def read_marker(url: str, namespace: str) -> dict[str, Any] | None:
    """Read what the last complete materialization wrote; None if none has.

    Args:
        url: Of the server.
        namespace: Tells the environments apart that share it.

    Raises:
        FeatureStoreError: If the server does not answer.
    """
    try:
        with redis.Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS) as client:
            held = client.get(marker_key(namespace))
    except (redis.RedisError, OSError) as error:
        raise FeatureStoreError(
            f"the feature store does not answer: {fault_of(error).value}"
        ) from None
    found: dict[str, Any] | None = json.loads(held) if held else None
    return found


class _Totals:
    """What was written so far."""

    def __init__(self) -> None:
        self.rows = self.kept_newer = self.value_bytes = 0
        self._ids, self._values = hashlib.sha256(), hashlib.sha256()

    def add(self, batch: HistoryBatch) -> None:
        self.rows += len(batch.loan_ids)
        self._ids.update("".join(f"{one}\n" for one in batch.loan_ids).encode())
        self._values.update(np.ascontiguousarray(batch.values).tobytes())

    def digest(self) -> str:
        both = self._ids.digest() + self._values.digest()
        return hashlib.sha256(both).hexdigest()


@dataclass(frozen=True)
class _Usage:
    keys: int
    memory_bytes: int

    @classmethod
    def of(cls, client: Any) -> "_Usage":
        memory = int(client.info("memory")["used_memory"])
        return cls(keys=int(client.dbsize()), memory_bytes=memory)

    def bytes_per_new_key(self, later: "_Usage") -> float | None:
        new = later.keys - self.keys
        if new < _FEWEST_MEASURED:
            return None
        return round((later.memory_bytes - self.memory_bytes) / new, 1)
