"""What benchmarks of size and start do besides measuring, and small measurements."""

import gzip
import http.server
import itertools
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import batch_growth
import external_memory
import large_batch
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis
import start_up
import store_size

RAW = Path(__file__).parents[2] / "data/01_raw/taiwan_credit.csv.gz"
GROWN: dict[str, Any] = {
    "rows": 10_000, "seconds": 4.0, "seconds_read": 1.0, "peak_mb": 1234.5,
    "disk_mb": 7.0, "trees": "same",
}  # fmt: skip
STORED = {
    "keys": 1000, "seconds": 0.5, "value_bytes": 80.0, "bytes_per_key": 190.0,
    "resident_mb": 12.0, "server": "redis 7.0",
}  # fmt: skip


def run(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str, **parts: Any
) -> None:
    """Run a script's program with some of its parts replaced."""
    for name, part in parts.items():
        monkeypatch.setattr(script, name, part)
    monkeypatch.setattr(sys, "argv", [script.__name__, *arguments])
    script.main()


@pytest.fixture
def applications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pa.Table:
    """Validated applications of two people, with columns that no request has."""
    table = pa.table(
        {
            "loan_id": pa.array(["1", "2"], pa.large_string()),
            "credit_limit": [1000.0, 2000.0],
            "repayment_status_1": [0, 1],
            "sex": [1, 2],
            "default_next_month": [0, 1],
        }
    )
    path = tmp_path / "validated.parquet"
    pq.write_table(table, path)
    monkeypatch.setattr(large_batch, "ROWS", path)
    return table


def test_a_batch_of_a_size_has_each_id_once_and_no_outcome(
    applications: pa.Table, tmp_path: Path
) -> None:
    path = tmp_path / "batch.parquet"
    rows = large_batch.write_batch(path, 0.02)
    assert 0.02e6 <= path.stat().st_size < 0.1e6
    batch = pq.read_table(path)
    assert batch.column_names == ["loan_id", "credit_limit", "repayment_status_1"]
    assert batch["loan_id"].to_pylist() == [f"B-{n}" for n in range(rows)]
    assert batch["credit_limit"].to_pylist() == [1000.0, 2000.0] * (rows // 2)


@pytest.fixture
def answering() -> Iterator[Callable[[int], int]]:
    """Start a server that answers everything with a status; gives its port."""
    servers = []

    def start(status: int) -> int:
        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        server = http.server.ThreadingHTTPServer((large_batch.HOST, 0), Answer)
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        return int(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_single_answers_are_timed_and_only_right_ones_count(
    answering: Callable[[int], int],
) -> None:
    taken = large_batch.alone(answering(200), [b"{}"], 0.2)
    assert taken
    assert all(seconds > 0 for seconds in taken)
    with pytest.raises(AssertionError):
        large_batch.alone(answering(503), [b"{}"], 0.2)


def test_latencies_are_median_and_p99_in_milliseconds() -> None:
    p50, p99 = large_batch.milliseconds([n / 1000 for n in range(101)])
    assert (p50, p99) == (pytest.approx(50), pytest.approx(99))


def test_the_table_of_growth_has_rows_a_second() -> None:
    found = batch_growth.table([GROWN]).splitlines()
    assert found[2] == "| 10,000 | 4.0 | 2,500 | 1,234 |"


def test_the_table_of_external_memory_has_a_line_for_each_way() -> None:
    told = [
        {**GROWN, "applications": 20_000, "way": way} for way in ("files", "memory")
    ]
    found = external_memory.table(told).splitlines()
    assert found[2:] == [
        f"| 20,000 | 10,000 | {way} | 1 | 4 | 1,234 | 7 |"
        for way in ("files", "memory")
    ]


@pytest.mark.parametrize("script", [batch_growth, external_memory])
def test_only_what_stands_between_the_marks_of_the_page_is_renewed(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, report = tmp_path / "page.md", tmp_path / "new" / "report.json"
    page.write_text(f"before\n{script.BEGIN}old\n{script.END}\nafter\n")
    measured: Any = {**GROWN, "applications": 20_000, "way": "files"}
    parts: dict[str, Any] = {"measure": lambda _: [measured]}
    if script is batch_growth:
        parts = {"measure": lambda _: measured, "PLOT": tmp_path / "plot.svg"}
    run(
        script, monkeypatch, "--markdown", "--sizes", "20000",
        PAGE=page, REPORT=report, **parts,
    )  # fmt: skip
    expected = f"before\n{script.BEGIN}{script.table([measured])}{script.END}\nafter\n"
    assert page.read_text() == expected
    assert json.loads(report.read_text()) == [measured]
    # The page of the documentation has both marks, once.
    text = (large_batch.PROJECT / "docs/reference/scale.md").read_text()
    assert text.count(script.BEGIN) == text.count(script.END) == 1


def test_other_trees_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {**GROWN, "applications": 5, "way": "files"}
    with pytest.raises(SystemExit, match="5 applications: the two ways grew other"):
        run(
            external_memory, monkeypatch, "--sizes", "5",
            REPORT=tmp_path / "report.json",
            measure=lambda _: [one, {**one, "way": "memory", "trees": "other"}],
        )  # fmt: skip


def test_the_store_is_a_real_server_and_its_table_has_all_figures(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    process, port = store_size.server(tmp_path)
    try:
        with redis.Redis(port=port) as client:
            assert client.dbsize() == 0
    finally:
        process.kill()
        process.wait()
    report = tmp_path / "new" / "report.json"
    run(
        store_size, monkeypatch, "--sizes", "1000",
        REPORT=report, measure=lambda rows: {**STORED, "keys": rows},
    )  # fmt: skip
    told = capsys.readouterr().out.splitlines()
    assert (told[0], told[-1]) == ("redis 7.0", "| 1,000 | 80 | 190 | 12 | 0.5 |")
    assert json.loads(report.read_text()) == [STORED]
    with pytest.raises(SystemExit):
        run(store_size, monkeypatch, "--sizes", str(store_size.MOST + 1))


def test_starts_take_turns_and_one_that_fails_is_no_measurement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    work = "sum(range(10**6))"
    start_up.table("work", {"much": (work,), "little": ("pass",)}, rounds=1)
    title, _, much, little = capsys.readouterr().out.strip().splitlines()
    assert title == "| work | CPU s | wall s |"
    assert (much.split()[1], little.split()[1]) == ("much", "little")
    assert all(seconds > 0 for seconds in start_up.cost("pass"))
    with pytest.raises(SystemExit, match="failed: import nothing_of_that_name"):
        start_up.cost("import nothing_of_that_name")


def test_in_files_and_in_memory_the_same_trees_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_memory, "TREES", 2)
    monkeypatch.setattr(external_memory, "VALIDATION_ROWS", 300)
    source = tmp_path / "accounts.csv"
    with gzip.open(RAW, "rt", encoding="utf-8") as lines:
        source.write_text("".join(itertools.islice(lines, 3001)), encoding="utf-8")
    files, memory = (
        external_memory.grow(source, tmp_path, way) for way in external_memory.WAYS
    )
    assert files["trees"] == memory["trees"]
    assert files["rows"] == memory["rows"] > 1000
    assert files["disk_mb"] > memory["disk_mb"] == 0
