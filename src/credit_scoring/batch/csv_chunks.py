"""CSV files a part at a time: every cell text, rows of another length told apart."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from credit_scoring.contract.csv_faults import header_of, utf8_without_mark
from credit_scoring.errors import BatchError, ContractError

_BLOCK_BYTES = 1 << 22
_HEAD_BYTES = 1 << 20
_FEWEST_BYTES = 1 << 12


@dataclass
class OddRows:
    """Rows that have more or fewer cells than the header.

    Attributes:
        rows: Number of the row, from 1 -> what is wrong.
    """

    rows: dict[int, str] = field(default_factory=dict)

    def take(self, row: Any) -> str:
        """Note a row, as Arrow's reader finds it."""
        self.rows[row.number - 1] = (
            f"has {row.actual_columns} cell(s); expected {row.expected_columns} as in "
            "the header"
        )
        return "skip"


def csv_schema(filesystem: Any, path: str, name: str) -> tuple[pa.Schema, bytes]:
    """Read the header of a CSV file.

    Returns:
        Its columns, all text; and the bytes that were read for it.

    Raises:
        BatchError: If the file cannot be read, or does not begin with a header.
    """
    try:
        with _stream(filesystem, path) as stream:
            head = stream.read(_HEAD_BYTES)
    except (OSError, pa.ArrowException, EOFError, zlib.error, gzip.BadGzipFile):
        raise BatchError(f"{name}: cannot be read, or is no whole gzip file") from None
    whole_lines = head[: head.rfind(b"\n") + 1] or head
    try:
        text = utf8_without_mark(whole_lines, name)
        if not text.strip():
            raise BatchError(f"{name}: the file is empty; expected a header and rows")
        names = header_of(text, name)
    except ContractError as error:
        raise BatchError(str(error)) from None
    return pa.schema([(column, pa.large_string()) for column in names]), head


def read_csv(
    filesystem: Any, path: str, schema: pa.Schema, odd: OddRows
) -> Iterator[pa.RecordBatch]:
    """Read the rows of a CSV file, blocks of them at a time.

    Args:
        filesystem: Arrow's.
        path: On it.
        schema: See `csv_schema`.
        odd: Told of rows that have another number of cells; they are left out.

    Raises:
        ArrowException, OSError: If it cannot be read to its end.
    """
    with _stream(filesystem, path) as stream:
        yield from read_csv_stream(stream, schema, odd)


def read_csv_stream(
    stream: Any, schema: pa.Schema, odd: OddRows
) -> Iterator[pa.RecordBatch]:
    """Read rows from an open stream; see `read_csv`."""
    # Columns are numbered, not named, so that a name may stand twice.
    numbers = [str(index) for index in range(len(schema.names))]
    reader = arrow_csv.open_csv(
        stream,
        read_options=arrow_csv.ReadOptions(
            column_names=numbers,
            skip_rows=1,
            block_size=_BLOCK_BYTES,
            # Else rows have no numbers.
            use_threads=False,
        ),
        parse_options=arrow_csv.ParseOptions(
            newlines_in_values=True, invalid_row_handler=odd.take
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(numbers, pa.large_string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    for batch in reader:
        yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def _stream(filesystem: Any, path: str) -> Any:
    compression = "gzip" if path.lower().endswith(".gz") else None
    return filesystem.open_input_stream(path, compression=compression)
