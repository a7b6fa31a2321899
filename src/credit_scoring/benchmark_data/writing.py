"""Writing benchmark data: a folder of Parquet files, one chunk in memory at a time."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from credit_scoring.benchmark_data.smoothing import CHUNK_ROWS, Source, make_chunk
from credit_scoring.errors import BenchmarkDataError

# Readers of such folders pass over names that begin like this.
ABOUT = "_about.json"
CHUNKS_OF_A_FILE = 8


def write_benchmark_data(
    source: Source,
    folder: Path,
    *,
    rows: int,
    seed: int,
    progress: Callable[[int], None] = lambda rows: None,
) -> None:
    """Write applications; the folder appears when all of it is written.

    A file holds `CHUNKS_OF_A_FILE` chunks, each a row group. Memory is that of one
    chunk, however many rows there are.

    Args:
        source: From `prepare_source`.
        folder: To be made.
        rows: How many.
        seed: Names the data.
        progress: Told the number of further rows after each chunk.

    Raises:
        BenchmarkDataError: If the folder is there already, no row is asked for, or
            the disk fails.
    """
    if rows < 1:
        raise BenchmarkDataError(f"{rows} rows are asked for; expected 1 or more")
    if folder.exists():
        raise BenchmarkDataError(f"{folder}: is there already; name another folder")
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write_files(source, unfinished, rows=rows, seed=seed, progress=progress)
        about = {
            "rows": rows,
            "seed": seed,
            "spread": source.spread,
            "source_rows": source.table.num_rows,
            "moved_columns": list(source.moved),
        }
        (unfinished / ABOUT).write_text(json.dumps(about, indent=2) + "\n")
        os.rename(unfinished, folder)
    except OSError as error:
        raise BenchmarkDataError(
            f"{folder}: cannot be written: {error.strerror or error}"
        ) from None


def _write_files(
    source: Source,
    folder: Path,
    *,
    rows: int,
    seed: int,
    progress: Callable[[int], None],
) -> None:
    chunks = -(-rows // CHUNK_ROWS)
    for first in range(0, chunks, CHUNKS_OF_A_FILE):
        path = folder / f"part-{first // CHUNKS_OF_A_FILE:05d}.parquet"
        with pq.ParquetWriter(path, source.table.schema) as writer:
            for number in range(first, min(first + CHUNKS_OF_A_FILE, chunks)):
                size = min(CHUNK_ROWS, rows - number * CHUNK_ROWS)
                chunk = make_chunk(source, seed=seed, number=number, rows=size)
                writer.write_table(chunk, row_group_size=CHUNK_ROWS)
                progress(size)
