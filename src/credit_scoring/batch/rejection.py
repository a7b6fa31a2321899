"""Rows that are not decided on, cell by cell, each with its reason and place."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit_scoring.batch.chunks import Chunk
from credit_scoring.contract.tables import CheckedTable

WHOLE_ROW = "(row)"
NO_MARGIN = "the model gives no finite margin for it"
REJECTED = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),
        ("loan_id", pa.large_string()),
        ("column", pa.string()),
        ("value", pa.large_string()),
        ("reason", pa.string()),
    ]
)


def rejected_table(
    chunk: Chunk, table: CheckedTable, *, name: str, failed: NDArray[np.int64]
) -> pa.Table:
    """List what is wrong with a chunk's rows.

    Args:
        chunk: The rows as they were read.
        table: The same, judged.
        name: Of their file.
        failed: Places of rows that are right and that no model could score.

    Returns:
        Columns of `REJECTED`, by row and then by column of the contract; ``row``
        counts the file's rows from 1, without a header.
    """
    numbers = chunk.row_numbers()
    order = {column: place for place, column in enumerate(table.cells)}
    found: list[tuple[int, int, str | None, str, str | None, str]] = [
        (row, 0, None, WHOLE_ROW, None, why) for row, why in chunk.odd.items()
    ]
    for fault in table.faults:
        at = np.flatnonzero(fault.broken)
        found += zip(
            numbers[at].tolist(),
            [order[fault.column]] * len(at),
            table.loan_ids.take(at).to_pylist(),
            [fault.column] * len(at),
            _written(table.cells[fault.column].take(at)),
            [fault.reason] * len(at),
            strict=True,
        )
    for place in failed.tolist():
        loan_id = table.loan_ids[place].as_py()
        found.append((int(numbers[place]), 0, loan_id, WHOLE_ROW, None, NO_MARGIN))
    found.sort(key=lambda entry: entry[:2])
    columns = list(zip(*found, strict=True)) or [()] * 6
    values = [[name] * len(found), columns[0], *columns[2:]]
    return pa.Table.from_arrays(
        [
            pa.array(given, kind)
            for given, kind in zip(values, REJECTED.types, strict=True)
        ],
        schema=REJECTED,
    )


def _written(cells: pa.Array) -> list[str | None]:
    return [None if value is None else str(value) for value in cells.to_pylist()]
