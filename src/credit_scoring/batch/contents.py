"""What is to be written of a chunk, as bytes: made wherever the chunk is decided on."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from credit_scoring.batch.chunks import Chunk
from credit_scoring.batch.models import BatchModels
from credit_scoring.batch.repeated import hash_ids
from credit_scoring.batch.scoring import Asked, score_chunk
from credit_scoring.batch.state import DECISIONS, REJECTED, parquet_bytes
from credit_scoring.contract.tables import TableCheck


@dataclass(frozen=True)
class ChunkContents:
    """What came of a chunk.

    Attributes:
        number: Of the chunk.
        file: Its file's place among the inputs.
        first_row: Number of its first row in the file, from 1.
        counts: What became of the rows.
        tables: `DECISIONS` and `REJECTED` -> a Parquet file, if there is a row.
        ids: Hashes of the loan ids, as NumPy's file.
        logged: A Parquet file for the decision log; None if none is asked for.
    """

    number: int
    file: int
    first_row: int
    counts: dict[str, Any]
    tables: dict[str, bytes]
    ids: bytes
    logged: bytes | None


def chunk_contents(
    chunk: Chunk, check: TableCheck, models: BatchModels, asked: Asked, *, name: str
) -> ChunkContents:
    """Decide on a chunk: the same bytes for the same arguments, on any machine.

    Args:
        chunk: The rows.
        check: Of the file's columns.
        models: Who decides.
        asked: What the job asks for.
        name: Of the file, for rejected rows.
    """
    scored = score_chunk(chunk, check, models, asked, name=name)
    tables = {
        kind: parquet_bytes(table)
        for kind, table in ((DECISIONS, scored.decisions), (REJECTED, scored.rejected))
        if table.num_rows or (kind == DECISIONS and chunk.number == 0)
    }
    hashes = io.BytesIO()
    np.save(hashes, hash_ids(scored.loan_ids), allow_pickle=False)
    return ChunkContents(
        number=chunk.number,
        file=chunk.file,
        first_row=chunk.first_row,
        counts=scored.counts.as_json(),
        tables=tables,
        ids=hashes.getvalue(),
        logged=None if scored.logged is None else parquet_bytes(scored.logged),
    )
