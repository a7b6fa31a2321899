"""The rows of all files in chunks of fixed bounds, so that work can be taken up."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from credit_scoring.batch.csv_chunks import OddRows, read_csv
from credit_scoring.batch.inputs import InputFile
from credit_scoring.errors import BatchError

# Rows decoded at a time, if a chunk has fewer: each time costs something a column.
_READ_ROWS = 131_072
# Row groups up to this size, uncompressed, are read column by column as a whole.
_WHOLE_GROUP_BYTES = 64 << 20


@dataclass(frozen=True)
class Chunk:
    """Some rows of one file.

    Attributes:
        number: Of the chunk, from 0, over all files.
        file: Its file's place among the inputs.
        first_row: Number of its first row in the file, from 1.
        batch: The rows.
        odd: Number of the row in the file, from 1 -> why it could not be read.
    """

    number: int
    file: int
    first_row: int
    batch: pa.RecordBatch
    odd: dict[int, str]

    def row_numbers(self) -> NDArray[np.int64]:
        """Number the batch's rows as the file does, from 1."""
        count = self.batch.num_rows + len(self.odd)
        numbers = np.arange(self.first_row, self.first_row + count, dtype=np.int64)
        return numbers[~np.isin(numbers, list(self.odd))] if self.odd else numbers


def read_chunks(
    files: Sequence[InputFile],
    columns: Sequence[Sequence[str]],
    *,
    chunk_rows: int,
    done: frozenset[int] = frozenset(),
) -> Generator[Chunk]:
    """Read all chunks that are not done, in order.

    The bounds depend on the files alone, not on what is done.

    Args:
        files: In order.
        columns: For each file the columns that are needed.
        chunk_rows: Rows of a chunk; the last one of a file may have fewer.
        done: Numbers of chunks that are not wanted.

    Raises:
        BatchError: If a file cannot be read any more: which one, and where.
    """
    number = 0
    for place, (file, needed) in enumerate(zip(files, columns, strict=True)):
        parts = _Parts(file, list(needed), chunk_rows, number, done)
        try:
            for chunk_number, first_row, batch, odd in parts.read():
                if chunk_number not in done:
                    yield Chunk(chunk_number, place, first_row, batch, odd)
        except (pa.ArrowException, OSError, EOFError) as error:
            raise BatchError(_fault_text(file, parts.rows_read, error)) from None
        number += parts.count


class _Parts:
    """The chunks of one file."""

    def __init__(
        self,
        file: InputFile,
        columns: list[str],
        chunk_rows: int,
        first_number: int,
        done: frozenset[int],
    ) -> None:
        self.rows_read = 0
        self.count = 0
        self._file, self._columns, self._size = file, columns, chunk_rows
        self._first, self._done = first_number, done

    def read(self) -> Iterator[tuple[int, int, pa.RecordBatch, dict[int, str]]]:
        if self._file.kind == "parquet":
            yield from self._of_parquet()
        else:
            yield from self._of_csv()

    def _of_parquet(self) -> Iterator[tuple[int, int, pa.RecordBatch, dict[int, str]]]:
        rows = self._file.rows or 0
        self.count = -(-rows // self._size)
        wanted = [n for n in range(self.count) if self._first + n not in self._done]
        if not wanted:
            return
        start = wanted[0] * self._size
        groups, skipped = self._groups_from(start)
        batches = _sized(self._batches(groups), self._size, skip=start - skipped)
        for n, batch in enumerate(batches, wanted[0]):
            self.rows_read = n * self._size + batch.num_rows
            yield self._first + n, n * self._size + 1, batch, {}

    def _groups_from(self, row: int) -> tuple[list[int], int]:
        """Give the row groups from the one of a row on, and the rows before it."""
        before = 0
        for place, size in enumerate(self._file.row_groups):
            if before + size > row:
                return list(range(place, len(self._file.row_groups))), before
            before += size
        return [], before

    def _batches(self, groups: list[int]) -> Iterator[pa.RecordBatch]:
        file = self._file
        # Not mapped into memory: that would count as this process's, and grow.
        with file.filesystem.open_input_file(file.path) as source:
            # Neither ahead nor beside: what is read stays small.
            metadata = pq.read_metadata(source)
            parquet = pq.ParquetFile(
                source,
                metadata=metadata,
                pre_buffer=False,
                buffer_size=_buffer_size(metadata, groups),
            )
            yield from parquet.iter_batches(
                max(self._size, _READ_ROWS),
                row_groups=groups,
                columns=self._columns,
                use_threads=False,
            )

    def _of_csv(self) -> Iterator[tuple[int, int, pa.RecordBatch, dict[int, str]]]:
        odd = OddRows()
        file = self._file
        batches = read_csv(file.filesystem, file.path, file.schema, odd)
        first_row = 1
        for batch in _sized(batches, self._size, keep_empty=True):
            own, last = _odd_among(odd, first_row, batch.num_rows)
            if batch.num_rows < self._size:
                # The last chunk: odd rows behind all others are its, too.
                own |= odd.rows
                last = max([last, *own])
            yield self._first + self.count, first_row, batch.select(self._columns), own
            for number in own:
                odd.rows.pop(number, None)
            self.count += 1
            self.rows_read = last
            first_row = last + 1


def _buffer_size(metadata: pq.FileMetaData, groups: list[int]) -> int:
    """Say how much of a column is read at a time: 0 is a whole row group's.

    That takes a third less time, and is what row groups of usual size allow.
    """
    largest = max(
        (metadata.row_group(place).total_byte_size for place in groups), default=0
    )
    return 0 if largest <= _WHOLE_GROUP_BYTES else 1 << 20


def _odd_among(odd: OddRows, first_row: int, rows: int) -> tuple[dict[int, str], int]:
    """Take the odd rows that stand before or among a chunk's, and its last row."""
    own: dict[int, str] = {}
    number, left = first_row, rows
    while left:
        if number in odd.rows:
            own[number] = odd.rows[number]
        else:
            left -= 1
        number += 1
    return own, number - 1


def _sized(
    batches: Iterator[pa.RecordBatch],
    size: int,
    *,
    skip: int = 0,
    keep_empty: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Cut and join batches so that all but the last have one size.

    Args:
        batches: Of any size.
        size: Rows of each.
        skip: Rows at the start that are not wanted.
        keep_empty: Give a last batch in any case, without rows if need be.
    """
    waiting: list[pa.RecordBatch] = []
    rows = 0
    schema = None
    for given in batches:
        schema = given.schema
        batch = given.slice(min(skip, given.num_rows))
        skip -= given.num_rows - batch.num_rows
        while batch.num_rows:
            part = batch.slice(0, size - rows)
            batch = batch.slice(part.num_rows)
            waiting.append(part)
            rows += part.num_rows
            if rows == size:
                yield _joined(waiting)
                waiting, rows = [], 0
    if waiting:
        yield _joined(waiting)
    elif keep_empty and schema is not None:
        yield pa.RecordBatch.from_pylist([], schema=schema)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _fault_text(file: InputFile, rows_read: int, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        what = "the file is not there any more; put it back"
    elif file.kind == "csv":
        what = (
            "what follows is no table: a quote is not closed, or it is not UTF-8, or "
            "the gzip file is cut off; mend the file"
        )
    else:
        place, before = _group_of(file, rows_read)
        what = (
            f"row group {place} (from row {before + 1}) cannot be read: it is cut off "
            "or corrupt; write the file anew"
        )
    return (
        f"{file.name}: after {rows_read} rows {what} and run the same command again. "
        "What is finished is kept"
    )


def _group_of(file: InputFile, rows_read: int) -> tuple[int, int]:
    before = 0
    for place, size in enumerate(file.row_groups):
        if before + size > rows_read:
            return place, before
        before += size
    return max(0, len(file.row_groups) - 1), before
