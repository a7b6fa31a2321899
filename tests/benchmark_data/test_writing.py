import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit_scoring.batch.inputs import find_inputs
from credit_scoring.benchmark_data import writing
from credit_scoring.benchmark_data.__main__ import main
from credit_scoring.benchmark_data.smoothing import CHUNK_ROWS, Source, make_chunk
from credit_scoring.benchmark_data.writing import write_benchmark_data
from credit_scoring.errors import BenchmarkDataError


def test_files_hold_the_chunks_in_order(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "CHUNKS_OF_A_FILE", 1)
    told: list[int] = []
    rows = CHUNK_ROWS + 10
    folder = tmp_path / "made"
    write_benchmark_data(source, folder, rows=rows, seed=2, progress=told.append)
    assert told == [CHUNK_ROWS, 10]
    files = find_inputs(str(folder))
    assert [file.rows for file in files] == [CHUNK_ROWS, 10]
    last = pq.read_table(folder / "part-00001.parquet")
    assert last.equals(make_chunk(source, seed=2, number=1, rows=10))
    about = json.loads((folder / "_about.json").read_text())
    assert about["rows"] == rows
    assert about["source_rows"] == 30_000


def test_a_folder_that_is_there_is_left_alone(source: Source, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkDataError, match="is there already"):
        write_benchmark_data(source, tmp_path, rows=1, seed=1)
    with pytest.raises(BenchmarkDataError, match="0 rows are asked for"):
        write_benchmark_data(source, tmp_path / "made", rows=0, seed=1)


def test_a_place_that_cannot_be_written_is_named(
    source: Source, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BenchmarkDataError, match="file/made: cannot be written: Not a"):
        write_benchmark_data(source, tmp_path / "file" / "made", rows=1, seed=1)


def test_the_command_writes_what_is_asked_for(
    real: pa.Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(real, tmp_path / "validated.parquet")
    said = ["--rows", "500", "--source", str(tmp_path / "validated.parquet")]
    made = tmp_path / "made"
    assert main([*said, "--output", str(made)]) == 0
    assert capsys.readouterr().out == f"{made}\n"
    assert pq.read_table(made / "part-00000.parquet").num_rows == 500
    assert main([*said, "--output", str(made)]) == 1
    assert "is there already" in capsys.readouterr().err


def test_the_command_says_what_makes_its_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = ["--source", str(tmp_path / "none.parquet")]
    assert main(["--rows", "5", "--output", str(tmp_path / "made"), *nothing]) == 1
    assert "kedro run --pipelines ingestion,validation" in capsys.readouterr().err
