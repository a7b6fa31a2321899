"""Batches as tables: CSV and Parquet to applications, and answers to the same.

Imported with the first such batch: Arrow takes memory and time that a service which
gets none of them spares.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any, Never

import msgspec
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from msgspec import UNSET

from credit_scoring.batch.csv_chunks import OddRows, read_csv_stream
from credit_scoring.contract.bodies import Body, count, lines
from credit_scoring.contract.csv_faults import check_utf8, header_of
from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.contract.rules import code_of_label
from credit_scoring.contract.tables import CheckedTable, TableCheck
from credit_scoring.errors import (
    BatchTooLongError,
    ContractError,
    FieldError,
    InvalidRequestError,
)
from credit_scoring.serving.answers import BatchEntry, DecisionAnswer
from credit_scoring.serving.forms import Rows

_NAME = "the table"
_BODY = "(body)"
_ROLES = (Role.ID, Role.APPLICATION, Role.HISTORY, Role.PROTECTED, Role.DATE)
_EPOCH = date(1970, 1, 1)
_PART_ROWS = 1024
# Of an answer in Parquet; so many answers wait in memory.
_GROUP_ROWS = 8192
_HEAD_BYTES = 1 << 20
_UTF8_BOM = b"\xef\xbb\xbf"
_SHOWN = 8
# A file says how large it is unpacked; a row of the contract takes far less.
_MOST_BYTES_A_ROW = 16 * 1024
_SMALLEST_BYTES = 1 << 20

_REASON = pa.struct(
    [
        ("code", pa.string()),
        ("feature", pa.string()),
        ("text", pa.string()),
        ("points", pa.float64()),
    ]
)
_ANSWER = pa.schema(
    [
        ("decision_id", pa.string()),
        ("loan_id", pa.string()),
        ("pd", pa.float64()),
        ("score", pa.float64()),
        ("band", pa.string()),
        ("decision", pa.string()),
        ("reasons", pa.list_(_REASON)),
        ("model_name", pa.string()),
        ("model_version", pa.string()),
        ("model_role", pa.string()),
        ("model_digest", pa.string()),
        ("policy_version", pa.string()),
        ("feature_source", pa.string()),
        ("scored_at", pa.timestamp("us", tz="UTC")),
        ("pd_low", pa.float64()),
        ("pd_high", pa.float64()),
        ("pd_level", pa.float64()),
        ("error", pa.string()),
    ]
)
_REASONS = _ANSWER.get_field_index("reasons")
_CSV_ANSWER = _ANSWER.set(_REASONS, pa.field("reasons", pa.string()))


def read_csv_rows(body: Body, decoder: RequestDecoder, most: int) -> Rows:
    """Read a CSV batch; a wrong row is an error in its place.

    It is read twice: first to its end, to know that it is a table.

    Args:
        body: Comma-separated, UTF-8, with a header.
        decoder: Reads requests of the same contract.
        most: Most rows.

    Returns:
        One after another; the errors below come at once.

    Raises:
        BatchTooLongError: If there are more.
        InvalidRequestError: If the body is no such table.
    """
    if count(body, b"\n") > 2 * most + 1:
        raise BatchTooLongError(f"the batch has more than {most} lines")
    odd = OddRows()
    try:
        text = pa.py_buffer(body).slice(check_utf8(body, _NAME))
        names = header_of(_head(body), _NAME)
        schema = pa.schema([(name, pa.large_string()) for name in names])
        check = _check(schema, decoder.contract)
        parts = read_csv_stream(pa.BufferReader(text), schema, odd)
        rows = sum(_count_sound(part, check) for part in parts) + len(odd.rows)
    except ContractError as error:
        _refuse(_without_name(error))
    except (pa.ArrowException, OSError):
        if sum(1 for _ in islice(lines(body), 2)) == 1:
            return iter(())
        _refuse("is no table: a quote is not closed, or rows cannot be told apart")
    if rows > most:
        raise BatchTooLongError(f"the batch has more than {most} applications")
    again = read_csv_stream(pa.BufferReader(text), schema, OddRows())
    return _in_their_places(_checked_rows(again, check, decoder), rows, odd)


def _head(body: Body) -> bytes:
    """Give the first lines of a text, with its header.

    Raises:
        ContractError: If there is nothing but blanks, or no line ends.
    """
    start = body[:_HEAD_BYTES].removeprefix(_UTF8_BOM)
    if not start.strip():
        raise ContractError(f"{_NAME}: is empty; expected a header and rows")
    if len(body) <= _HEAD_BYTES:
        return start
    end = max(start.rfind(b"\n"), start.rfind(b"\r")) + 1
    if not end:
        raise ContractError(f"{_NAME}: the header is longer than {_HEAD_BYTES} bytes")
    return start[:end]


def _in_their_places(right: Rows, count: int, odd: OddRows) -> Rows:
    for number in range(1, count + 1):
        yield _error(odd.rows[number]) if number in odd.rows else next(right)


def read_parquet_rows(body: Body, decoder: RequestDecoder, most: int) -> Rows:
    """Read a Parquet batch; a wrong row is an error in its place.

    It is read twice: first to its end, to know that it is whole.

    Args:
        body: A Parquet file.
        decoder: Reads requests of the same contract.
        most: Most rows.

    Returns:
        One after another; the errors below come at once.

    Raises:
        BatchTooLongError: If there are more, or more bytes than so many can have.
        InvalidRequestError: If the body is no such file, or is corrupt.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(pa.py_buffer(body)), pre_buffer=False)
        metadata = file.metadata
        unpacked = sum(
            metadata.row_group(place).total_byte_size
            for place in range(metadata.num_row_groups)
        )
        largest = max(most * _MOST_BYTES_A_ROW, _SMALLEST_BYTES)
        if metadata.num_rows > most or not 0 <= unpacked <= largest:
            raise BatchTooLongError(f"the batch has more than {most} applications")
        check = _check(file.schema_arrow, decoder.contract)
        rows = 0
        for part in _parts(file, check):
            rows += _count_sound(part, check)
            if rows > most:
                raise BatchTooLongError(f"the batch has more than {most} applications")
        return _checked_rows(_parts(file, check), check, decoder)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        if isinstance(error, InvalidRequestError | BatchTooLongError):
            raise
        _refuse("is no Parquet file, or one that is cut off or corrupt")


def _parts(file: pq.ParquetFile, check: TableCheck) -> Iterator[pa.RecordBatch]:
    parts: Iterator[pa.RecordBatch] = file.iter_batches(
        _PART_ROWS, columns=check.sources, use_threads=False
    )
    return parts


class _Drained:
    """A file that is read as it is written."""

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self._size = 0

    def write(self, content: Any) -> int:
        """Take what is written, as a file does."""
        self._written.append(bytes(content))
        self._size += len(self._written[-1])
        return len(self._written[-1])

    def tell(self) -> int:
        """Give how much was written, as a file does."""
        return self._size

    def flush(self) -> None:
        """Do nothing: all is written."""

    def drain(self) -> bytes:
        """Give what was written since it was last asked for."""
        content = b"".join(self._written)
        self._written.clear()
        return content


class ParquetWriter:
    """Writes a Parquet file in row groups of a size that readers like."""

    def __init__(self) -> None:
        """Begin a file."""
        self._waiting: list[pa.Table] = []
        self._sink = _Drained()
        self._writer: Any = pq.ParquetWriter(pa.PythonFile(self._sink, "w"), _ANSWER)

    def write(self, entries: Sequence[BatchEntry], *, last: bool) -> bytes:
        """See `Writer`."""
        if entries:
            self._waiting.append(_answers(entries))
        if last or sum(map(len, self._waiting)) >= _GROUP_ROWS:
            group = pa.concat_tables(self._waiting)
            self._writer.write_table(group, row_group_size=max(len(group), 1))
            self._waiting.clear()
        if last:
            self._writer.close()
        return self._sink.drain()


class CsvWriter:
    """Writes a CSV table: reasons as their codes."""

    def __init__(self) -> None:
        """Begin a table."""
        self._sink = _Drained()
        self._writer: Any = pacsv.CSVWriter(pa.PythonFile(self._sink, "w"), _CSV_ANSWER)

    def write(self, entries: Sequence[BatchEntry], *, last: bool) -> bytes:
        """See `Writer`."""
        if entries:
            table = _answers(entries)
            codes = [
                "; ".join(reason["code"] for reason in said or ())
                for said in table["reasons"].to_pylist()
            ]
            self._writer.write_table(
                table.set_column(_REASONS, "reasons", pa.array(codes))
            )
        if last:
            self._writer.close()
        return self._sink.drain()


def _refuse(message: str) -> Never:
    raise InvalidRequestError((FieldError(_BODY, message),)) from None


def _error(message: str) -> InvalidRequestError:
    return InvalidRequestError((FieldError(_BODY, message),))


def _without_name(error: ContractError) -> str:
    return str(error).removeprefix(f"{_NAME}: ")


def _check(schema: pa.Schema, contract: Contract) -> TableCheck:
    try:
        check = TableCheck(contract, schema, name=_NAME, roles=_ROLES)
    except ContractError as error:
        _refuse(_without_name(error))
    known = set(check.sources)
    unknown = [name for name in schema.names if name not in known]
    if unknown:
        named = ", ".join(f"{name!r:.66}" for name in unknown[:_SHOWN])
        _refuse(f"has {len(unknown)} column(s) that are none of a request: {named}")
    return check


def _count_sound(part: pa.RecordBatch, check: TableCheck) -> int:
    """Count rows, after all that can fail with them as a whole has been tried."""
    part.validate(full=True)
    check.check(part)
    rows: int = part.num_rows
    return rows


def _checked_rows(
    parts: Iterator[pa.RecordBatch], check: TableCheck, decoder: RequestDecoder
) -> Rows:
    for part in parts:
        yield from _applications(check.check(part), decoder)


def _applications(
    table: CheckedTable, decoder: RequestDecoder
) -> Iterator[Application | InvalidRequestError]:
    contract = decoder.contract
    columns = {
        name: _values(table, name, contract.columns[name]) for name in table.cells
    }
    history = frozenset(contract.names(Role.HISTORY))
    wrong: dict[int, list[FieldError]] = {}
    for fault in table.faults:
        for row in fault.broken.nonzero()[0].tolist():
            wrong.setdefault(row, []).append(FieldError(fault.column, fault.reason))
    for row, with_history in enumerate(table.with_history.tolist()):
        if row in wrong:
            yield InvalidRequestError(tuple(wrong[row]))
            continue
        yield decoder.application(
            {
                name: values[row]
                for name, values in columns.items()
                if with_history or name not in history
            }
        )


def _values(table: CheckedTable, name: str, column: Column) -> list[Any]:
    if column.role is Role.ID:
        return list(table.loan_ids.to_pylist())
    said: Mapping[float, str] = {}
    if column.type == "string":
        said = {code: label for label, code in code_of_label(column).items()}
    found: list[Any] = []
    for number in table.numbers[name].tolist():
        if number != number:  # noqa: PLR0124 - NaN
            found.append(None)
        elif column.type == "date":
            found.append(_EPOCH + timedelta(days=number))
        else:
            found.append(said.get(number, number))
    return found


def _answers(entries: Sequence[BatchEntry]) -> pa.Table:
    return pa.Table.from_pylist([_answer(entry) for entry in entries], schema=_ANSWER)


def _answer(entry: BatchEntry) -> dict[str, Any]:
    if not isinstance(entry, DecisionAnswer):
        problem = entry.error
        fields = [f"{one.field}: {one.message}" for one in problem.errors]
        return {"error": "; ".join(fields) or problem.detail}
    row: dict[str, Any] = msgspec.to_builtins(
        entry, builtin_types=(type(entry.scored_at),)
    )
    row |= {f"model_{name}": value for name, value in row.pop("model").items()}
    interval = entry.pd_interval
    if interval is not UNSET and interval is not None:
        row |= {
            "pd_low": interval.low,
            "pd_high": interval.high,
            "pd_level": interval.level,
        }
    return row
