"""Filling the store from files: complete or not at all, and never turning back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.errors import ContractError, FeatureStoreError
from credit_scoring.feature_store.encoding import HistoryEncoding
from credit_scoring.feature_store.keys import Keys
from credit_scoring.feature_store.materialization import (
    HistoryBatch,
    Materializer,
    read_marker,
)

VERSION = "0123456789abcdef"
KEYS = Keys("test", VERSION)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def encoding(contract: Contract) -> HistoryEncoding:
    return HistoryEncoding(contract, VERSION)


@pytest.fixture
def materializer(server: Any, encoding: HistoryEncoding) -> Materializer:
    return Materializer(server.url, keys=KEYS, encoding=encoding, seconds_to_live=1000)


def batches(rows: int, size: int = 700, shift: float = 0.0) -> Iterator[HistoryBatch]:
    """Loans L-0, L-1, ... with status 1 and their number as balance."""
    for start in range(0, rows, size):
        numbers = np.arange(start, min(start + size, rows), dtype=np.float64)
        yield HistoryBatch(
            loan_ids=[f"L-{number:.0f}" for number in numbers],
            values=np.stack([np.ones(len(numbers)), numbers + shift], axis=1),
        )


def test_every_history_is_written_and_then_the_marker(
    server: Any, materializer: Materializer, encoding: HistoryEncoding
) -> None:
    server.start()
    told: list[int] = []
    done = materializer.write(batches(3000), as_of=AS_OF, progress=told.append)
    assert (done.rows, done.kept_newer, sum(told)) == (3000, 0, 3000)
    assert done.value_bytes == 18 + 1 + 4 + 4
    assert done.bytes_per_key is not None
    assert 50 < done.bytes_per_key < 500
    with server.client() as client:
        assert client.dbsize() == 3001
        for number in (0, 699, 700, 2999):
            key = KEYS.history(f"L-{number}")
            history = encoding.decode(f"L-{number}", client.get(key))
            assert history.values == (1.0, float(number))
            assert history.as_of_ms == AS_OF.timestamp() * 1000
            assert 990 < client.ttl(key) <= 1000
        assert client.ttl(KEYS.marker) == -1
    marker = read_marker(server.url, "test")
    assert marker is not None
    assert marker["rows"] == 3000
    assert marker["digest"] == done.digest
    assert marker["feature_version"] == VERSION


def test_the_digest_is_of_the_data_alone(
    server: Any, materializer: Materializer
) -> None:
    server.start()
    first = materializer.write(batches(500), as_of=AS_OF)
    again = materializer.write(batches(500, size=7), as_of=AS_OF + timedelta(1))
    other = materializer.write(batches(500, shift=1), as_of=AS_OF + timedelta(2))
    assert first.digest == again.digest != other.digest
    assert again.bytes_per_key is None, "there were no new keys"


def test_a_newer_history_is_kept(
    server: Any, materializer: Materializer, encoding: HistoryEncoding
) -> None:
    server.start()
    newer = encoding.encode("L-3", [1.0, 99.0], int(time.time() * 1000))
    with server.client() as client:
        client.set(KEYS.history("L-3"), newer)
        done = materializer.write(batches(10), as_of=AS_OF)
        assert done.kept_newer == 1
        assert client.get(KEYS.history("L-3")) == newer


def test_a_value_that_claims_the_future_is_written_over(
    server: Any, materializer: Materializer, encoding: HistoryEncoding
) -> None:
    server.start()
    wrong = encoding.encode("L-3", [1.0, 99.0], int(time.time() * 1000) + 10**7)
    with server.client() as client:
        client.set(KEYS.history("L-3"), wrong)
        assert materializer.write(batches(10), as_of=AS_OF).kept_newer == 0
        assert client.get(KEYS.history("L-3")) != wrong


def test_a_wrong_row_stops_it_before_the_marker(
    server: Any, materializer: Materializer
) -> None:
    server.start()
    materializer.write(batches(10), as_of=AS_OF)
    former = read_marker(server.url, "test")
    wrong = HistoryBatch(["SECRET-1"], np.array([[77.5, 0.0]]))
    with pytest.raises(ContractError, match="not allow") as raised:
        materializer.write([*batches(5), wrong], as_of=AS_OF)
    assert "SECRET" not in str(raised.value)
    assert read_marker(server.url, "test") == former


def test_a_full_server_stops_it_and_says_how_far_it_came(
    server: Any, materializer: Materializer
) -> None:
    server.start("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    with pytest.raises(FeatureStoreError, match=r"after \d+ rows: full") as raised:
        materializer.write(batches(100_000), as_of=AS_OF)
    assert "L-" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert read_marker(server.url, "test") is None


def test_a_server_that_is_down_is_said_plainly(
    server: Any, materializer: Materializer
) -> None:
    with pytest.raises(FeatureStoreError, match="after 0 rows: connection"):
        materializer.write(batches(1), as_of=AS_OF)
    with pytest.raises(FeatureStoreError, match="does not answer: connection"):
        read_marker(server.url, "test")


PROGRAM = """
import sys, json, numpy as np
from datetime import datetime, UTC
sys.path.insert(0, {folder!r})
import test_materialization as t
from credit_scoring.contract.model import Contract
from credit_scoring.feature_store.encoding import HistoryEncoding
from credit_scoring.feature_store.materialization import Materializer
contract = Contract.model_validate(json.loads({contract!r}))
writer = Materializer(
    {url!r},
    keys=t.KEYS,
    encoding=HistoryEncoding(contract, t.VERSION),
    seconds_to_live=1000,
)
writer.write(t.batches(10**7, shift=0.5), as_of=datetime.now(UTC))
"""


def test_a_killed_run_leaves_what_was_there(
    server: Any,
    materializer: Materializer,
    encoding: HistoryEncoding,
    contract: Contract,
) -> None:
    """Killed with SIGKILL: the marker is the former one, every value is whole."""
    server.start()
    materializer.write(batches(20_000), as_of=AS_OF)
    former = read_marker(server.url, "test")
    program = PROGRAM.format(
        folder=os.path.dirname(__file__),
        contract=contract.model_dump_json(),
        url=server.url,
    )
    run = subprocess.Popen([sys.executable, "-c", program])
    with server.client() as client:
        until = time.monotonic() + 30
        while client.strlen(KEYS.history("L-5000")) != 31:
            assert time.monotonic() < until
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert read_marker(server.url, "test") == former
        for number in range(20_000):
            value = client.get(KEYS.history(f"L-{number}"))
            status, balance = encoding.decode(f"L-{number}", value).values
            assert (status, balance) in ((1.0, number), (1.0, number + 0.5))
