"""Rows are cut into the same chunks, however much of a file is read at a time."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit_scoring.batch import chunks
from credit_scoring.batch.inputs import find_inputs

ROWS, CHUNK_ROWS = 1000, 64


def read(path: Path, done: frozenset[int] = frozenset()) -> dict[int, list[int]]:
    files = find_inputs(str(path))
    found = chunks.read_chunks(files, [["n"]], chunk_rows=CHUNK_ROWS, done=done)
    return {chunk.number: chunk.batch["n"].to_pylist() for chunk in found}


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.parquet"
    table = pa.table({"n": range(ROWS), "other": ["x"] * ROWS})
    pq.write_table(table, path, row_group_size=150)
    return path


@pytest.mark.parametrize("largest", [0, 64 << 20])
@pytest.mark.parametrize("at_a_time", [1, 100, 131_072])
def test_chunks_do_not_depend_on_how_much_is_read_at_a_time(
    numbers: Path, largest: int, at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_WHOLE_GROUP_BYTES", largest)
    monkeypatch.setattr(chunks, "_READ_ROWS", at_a_time)
    found = read(numbers)
    assert list(found) == list(range(-(-ROWS // CHUNK_ROWS)))
    assert [n for rows in found.values() for n in rows] == list(range(ROWS))
    assert {len(rows) for rows in list(found.values())[:-1]} == {CHUNK_ROWS}
    done = frozenset({0, 1, 2, 7})
    left = {number: rows for number, rows in found.items() if number not in done}
    assert read(numbers, done) == left
