"""A batch that is read, decided and answered some rows at a time."""

import asyncio
import io
import json
import mmap
import os
import re
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prometheus_client import CollectorRegistry

from credit_scoring.contract.bodies import Body
from credit_scoring.serving import spool, tables
from credit_scoring.serving.app import FrontDoor, ScoringApp
from credit_scoring.serving.assembly import Models, scoring_app
from credit_scoring.serving.local_server import HOST
from credit_scoring.serving.messages import BodyLimits
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.problems import ProblemError, decision_not_recorded
from credit_scoring.serving.recording import Answered, Unrecorded
from credit_scoring.serving.runners import InProcessRunner
from credit_scoring.serving.settings import Settings
from credit_scoring.serving.spool import read_spooled_body

from .conftest import no_lifespan
from .test_batch_forms import CSV, NDJSON, PARQUET, answers, csv, parquet

Row = dict[str, Any]
Call = Callable[..., httpx.Response]

JSON = "application/json"
AT_A_TIME = 3
MANY = 20
NOT_SAID_TWICE = ("decision_id", "scored_at")


class Recorder(Unrecorded):
    """Keeps what is recorded; from some decision on, it cannot."""

    def __init__(self, most: int = 10**9) -> None:
        self.most = most
        self.kept: list[str] = []

    async def record(self, answered: Answered) -> None:
        self.record_many([answered])

    def record_many(self, answered: Any) -> None:
        if len(self.kept) + len(answered) > self.most:
            raise decision_not_recorded()
        self.kept += [one.answer.loan_id for one in answered]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "batch_rows_at_a_time": AT_A_TIME,
            "max_batch_body_bytes": 1 << 24,
            "max_batch_rows": 100_000,
            "body_timeout_ms": 20_000,
        }
    )


@pytest.fixture
def app(
    models: Models, settings: Settings, registry: CollectorRegistry, recorder: Recorder
) -> ScoringApp:
    return scoring_app(models, settings, ServiceMetrics(registry), recorder=recorder)


def rows(count: int = MANY) -> list[Row]:
    """Applications of which every seventh is wrong, and every fifth lacks history."""
    return [
        {
            "loan_id": f"L-{number}",
            "amount": -1 if number % 7 == 6 else 10 * (number % 90),
            "days_late_1": None if number % 5 == 4 else number % 30,
        }
        for number in range(count)
    ]


def without_nulls(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def written(kind: str, given: list[Row]) -> bytes:
    if kind == JSON:
        return json.dumps([without_nulls(row) for row in given]).encode()
    if kind == NDJSON:
        return b"\n".join(json.dumps(without_nulls(row)).encode() for row in given)
    table = pa.Table.from_pylist(given)
    return csv(table) if kind == CSV else parquet(table, row_group_size=4)


def said(kind: str, reply: httpx.Response) -> list[Row]:
    found = reply.json() if kind == JSON else answers(reply)
    for row in found:
        for name in NOT_SAID_TWICE:
            row.pop(name, None)
    return list(found)


KINDS = [JSON, NDJSON, CSV, PARQUET]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, AT_A_TIME - 1, AT_A_TIME, AT_A_TIME + 1, MANY])
def test_in_parts_a_batch_is_answered_as_in_one(
    kind: str, count: int, call: Call, models: Models, settings: Settings
) -> None:
    body, headers = written(kind, rows(count)), {"content-type": kind}
    whole = settings.model_copy(update={"batch_rows_at_a_time": count + 1})
    other = scoring_app(models, whole, ServiceMetrics(CollectorRegistry()))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(other)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as it:
            return await it.post("/predict/batch", content=body, headers=headers)

    expected = asyncio.run(ask())
    reply = call("POST", "/predict/batch", content=body, headers=headers)
    assert reply.status_code == expected.status_code == 200
    assert reply.headers["content-type"] == expected.headers["content-type"] == kind
    assert reply.headers["cache-control"] == "no-store"
    assert "content-length" in expected.headers
    assert ("content-length" in reply.headers) == (count < AT_A_TIME)
    assert len(said(kind, reply)) == count
    assert said(kind, reply) == said(kind, expected)


def test_a_parquet_answer_has_row_groups_of_several_parts(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_GROUP_ROWS", 2 * AT_A_TIME)
    headers = {"content-type": PARQUET}
    body = written(PARQUET, rows())
    reply = call("POST", "/predict/batch", content=body, headers=headers)
    file = pq.ParquetFile(io.BytesIO(reply.content))
    groups = range(file.metadata.num_row_groups)
    sizes = [file.metadata.row_group(place).num_rows for place in groups]
    assert sizes == [6, 6, 6, 2]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, written(JSON, rows())[:-1]),
        (CSV, written(CSV, rows()) + b"L\xff,1,2\n"),
        (PARQUET, written(PARQUET, rows())[:-40]),
        (
            PARQUET,
            re.sub(b"L-19", b"L\xff19", parquet(pa.Table.from_pylist(rows()))),
        ),
    ],
)
def test_what_is_wrong_with_the_whole_is_known_before_a_row_is_decided(
    kind: str, body: bytes, call: Call, recorder: Recorder
) -> None:
    headers = {"content-type": kind}
    reply = call("POST", "/predict/batch", content=body, headers=headers)
    assert reply.status_code == 400
    assert recorder.kept == []


@pytest.mark.parametrize("before", ["", "a"])
def test_a_header_without_an_end_is_refused(before: str, call: Call) -> None:
    body, headers = (before + "ü" * (1 << 20)).encode(), {"content-type": CSV}
    reply = call("POST", "/predict/batch", content=body, headers=headers)
    assert reply.status_code == 400
    assert "header is longer than" in reply.json()["errors"][0]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_cannot_be_recorded_any_more_say_so(
    kind: str, call: Call, recorder: Recorder
) -> None:
    recorder.most = 7
    headers = {"content-type": kind}
    given = [{"loan_id": f"L-{n}", "amount": 1, "days_late_1": 1} for n in range(MANY)]
    body = written(kind, given)
    reply = call("POST", "/predict/batch", content=body, headers=headers)
    assert reply.status_code == 200
    found = said(kind, reply)
    assert [bool(row.get("error")) for row in found] == [False] * 6 + [True] * 14
    assert "could not be recorded" in str(found[-1]["error"])
    assert recorder.kept == [f"L-{n}" for n in range(6)]


def test_where_nothing_can_be_recorded_the_whole_is_refused(
    call: Call, recorder: Recorder
) -> None:
    recorder.most = 0
    reply = call("POST", "/predict/batch", json=[without_nulls(r) for r in rows()])
    assert reply.status_code == 503
    assert reply.headers["retry-after"]


@pytest.fixture
def port(app: ScoringApp, serve: Callable[[Any], int]) -> int:
    return serve(FrontDoor(lambda: app, behind=no_lifespan, paths_behind={}))


def asked(body: bytes, version: str = "1.1") -> bytes:
    head = f"POST /predict/batch HTTP/{version}\r\nHost: a\r\nContent-Type: {NDJSON}"
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def received(wire: socket.socket) -> bytes:
    found = b""
    while piece := wire.recv(1 << 16):
        found += piece
    return found


def test_a_fault_in_the_middle_cuts_the_answer_off(
    port: int, runner: InProcessRunner, registry: CollectorRegistry, caplog: Any
) -> None:
    compute, asked_for = runner.compute, []

    def broken(applications: Any, *, explain: bool) -> Any:
        asked_for.append(len(applications))
        if len(asked_for) == 3:
            raise MemoryError("of a secret applicant")
        return compute(applications, explain=explain)

    runner.compute = broken  # type: ignore[method-assign]
    given = [{"loan_id": f"L-{n}", "amount": 1, "days_late_1": 1} for n in range(MANY)]
    with socket.create_connection((HOST, port), timeout=30) as wire:
        wire.sendall(asked(written(NDJSON, given)))
        answer = received(wire)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b'"decision"') == 2 * AT_A_TIME
    assert not answer.endswith(b"0\r\n\r\n")
    assert "incident" in caplog.text
    assert "secret" not in caplog.text
    labels = {"route": "/predict/batch", "status": "500"}
    assert registry.get_sample_value("credit_scoring_requests_total", labels) == 1


def test_a_client_of_http_1_0_gets_the_whole(port: int) -> None:
    with socket.create_connection((HOST, port), timeout=30) as wire:
        wire.sendall(asked(written(NDJSON, rows()), version="1.0"))
        head, _, body = received(wire).partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert b"content-length: %d" % len(body) in head
    assert len(body.splitlines()) == MANY


def test_a_client_that_leaves_ends_its_batch(
    port: int, recorder: Recorder, runner: InProcessRunner
) -> None:
    compute, begun, left = runner.compute, threading.Event(), threading.Event()

    def waiting(applications: Any, *, explain: bool) -> Any:
        begun.set()
        left.wait(30)
        return compute(applications, explain=explain)

    given = [{"loan_id": f"L-{n}", "amount": 1, "days_late_1": 1} for n in range(9999)]
    runner.compute = waiting  # type: ignore[method-assign]
    with socket.create_connection((HOST, port), timeout=30) as wire:
        wire.sendall(asked(written(NDJSON, given)))
        assert begun.wait(30)
    left.set()
    # Another batch is let in, and the one before is not decided to its end.
    with socket.create_connection((HOST, port), timeout=30) as wire:
        wire.sendall(asked(b'{"loan_id": "other", "amount": 1}') + b"")
        assert b'"other"' in wire.recv(1 << 16)
    assert len(recorder.kept) < 5000
    kept = len(recorder.kept)
    with socket.create_connection((HOST, port), timeout=30) as wire:
        wire.sendall(asked(b'{"loan_id": "last", "amount": 1}') + b"")
        assert b'"last"' in wire.recv(1 << 16)
    assert len(recorder.kept) <= kept + AT_A_TIME + 1


def test_an_answer_that_is_not_taken_stops_the_deciding(
    models: Models, settings: Settings, recorder: Recorder, serve: Callable[[Any], int]
) -> None:
    """Rows are decided no faster than their answers are taken."""
    faster = settings.model_copy(update={"batch_rows_at_a_time": 250})
    metrics = ServiceMetrics(CollectorRegistry())
    app = scoring_app(models, faster, metrics, recorder=recorder)
    port = serve(FrontDoor(lambda: app, behind=no_lifespan, paths_behind={}))
    count = 20_000
    given = [{"loan_id": f"L-{n}", "amount": 1, "days_late_1": 1} for n in range(count)]
    with socket.create_connection((HOST, port), timeout=60) as wire:
        wire.sendall(asked(written(NDJSON, given)))
        before, now = -1, 0
        while now != before:
            before = now
            threading.Event().wait(1.5)
            now = len(recorder.kept)
        assert 0 < now < count
        taken = received_until(wire, b"\r\n0\r\n\r\n")
    assert taken.count(b'"decision_id"') == count
    assert len(recorder.kept) == count


def received_until(wire: socket.socket, end: bytes) -> bytes:
    found = bytearray()
    while not found.endswith(end):
        piece = wire.recv(1 << 20)
        assert piece
        found += piece
    return bytes(found)


LIMITS = BodyLimits(1 << 24, 60_000)


def read(body: bytes, *, declared: int | None = None) -> Body:
    headers = [(b"content-type", NDJSON.encode())]
    pieces = [body[n : n + 65_536] for n in range(0, len(body), 65_536)] or [b""]
    messages = iter(
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    )

    async def receive() -> Any:
        return next(messages)

    return asyncio.run(
        read_spooled_body(
            {"headers": headers}, receive, LIMITS, also=(NDJSON.encode(),)
        )
    )


def test_a_large_body_is_a_file_that_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    small, large = os.urandom(1 << 20), os.urandom((5 << 20) + 17)
    assert read(small) == small
    found = read(large)
    assert isinstance(found, mmap.mmap)
    assert found[:] == large
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_finds_no_room_is_refused(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    content, headers = b" \n" * (2 << 20), {"content-type": NDJSON}
    reply = call("POST", "/predict/batch", content=content, headers=headers)
    assert reply.status_code == 503
    assert reply.headers["retry-after"]
    assert reply.json()["type"].endswith("body-not-kept")
    assert os.statvfs(small_disk).f_bavail == os.statvfs(small_disk).f_blocks
    with pytest.raises(ProblemError):
        read(content)


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_in_a_file_is_answered_as_one_in_memory(
    kind: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, headers = written(kind, rows()), {"content-type": kind}
    in_memory = call("POST", "/predict/batch", content=body, headers=headers)
    monkeypatch.setattr(spool, "_MEMORY_BYTES", 1)

    async def pieces() -> Any:
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    reply = call("POST", "/predict/batch", content=pieces(), headers=headers)
    assert said(kind, reply) == said(kind, in_memory)
    wrong = call("POST", "/predict/batch", content=body[:-9], headers=headers)
    assert wrong.status_code in {200, 400}
