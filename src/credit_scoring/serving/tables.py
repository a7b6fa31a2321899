"""Batches as tables: CSV and Parquet to applications, and answers to the same.

Imported with the first such batch: Arrow takes memory and time that a service which
gets none of them spares.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Never

import msgspec
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from msgspec import UNSET

from credit_scoring.batch.csv_chunks import OddRows, read_csv_stream
from credit_scoring.contract.csv_faults import header_of, utf8_without_mark
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
from credit_scoring.serving.forms import CSV, PARQUET, Rows
from credit_scoring.serving.messages import Reply, decision_reply

_NAME = "the table"
_BODY = "(body)"
_ROLES = (Role.ID, Role.APPLICATION, Role.HISTORY, Role.PROTECTED, Role.DATE)
_EPOCH = date(1970, 1, 1)
_PART_ROWS = 4096
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


def read_csv_rows(body: bytes, decoder: RequestDecoder, most: int) -> Rows:
    """Read a CSV batch; a wrong row is an error in its place.

    Args:
        body: Comma-separated, UTF-8, with a header.
        decoder: Reads requests of the same contract.
        most: Most rows.

    Raises:
        BatchTooLongError: If there are more.
        InvalidRequestError: If the body is no such table.
    """
    if body.count(b"\n") > 2 * most + 1:
        raise BatchTooLongError(f"the batch has more than {most} lines")
    odd = OddRows()
    try:
        text = utf8_without_mark(body, _NAME)
        if not text.strip():
            _refuse("is empty; expected a header and rows")
        names = header_of(text, _NAME)
        schema = pa.schema([(name, pa.large_string()) for name in names])
        parts = list(read_csv_stream(io.BytesIO(text), schema, odd))
    except ContractError as error:
        _refuse(_without_name(error))
    except (pa.ArrowException, OSError):
        if len(text.strip().splitlines()) == 1:
            return []
        _refuse("is no table: a quote is not closed, or rows cannot be told apart")
    rows = iter(_rows(parts, schema, decoder, most))
    count = sum(part.num_rows for part in parts) + len(odd.rows)
    if count > most:
        raise BatchTooLongError(f"the batch has more than {most} applications")
    return [
        _error(odd.rows[number]) if number in odd.rows else next(rows)
        for number in range(1, count + 1)
    ]


def read_parquet_rows(body: bytes, decoder: RequestDecoder, most: int) -> Rows:
    """Read a Parquet batch; a wrong row is an error in its place.

    Args:
        body: A Parquet file.
        decoder: Reads requests of the same contract.
        most: Most rows.

    Raises:
        BatchTooLongError: If there are more, or more bytes than so many can have.
        InvalidRequestError: If the body is no such file, or is corrupt.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(body), pre_buffer=False)
        metadata = file.metadata
        unpacked = sum(
            metadata.row_group(place).total_byte_size
            for place in range(metadata.num_row_groups)
        )
        largest = max(most * _MOST_BYTES_A_ROW, _SMALLEST_BYTES)
        if metadata.num_rows > most or not 0 <= unpacked <= largest:
            raise BatchTooLongError(f"the batch has more than {most} applications")
        schema = file.schema_arrow
        check = _check(schema, decoder.contract)
        parts = file.iter_batches(_PART_ROWS, columns=check.sources, use_threads=False)
        return _checked_rows(list(parts), check, decoder, most)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        if isinstance(error, InvalidRequestError | BatchTooLongError):
            raise
        _refuse("is no Parquet file, or one that is cut off or corrupt")


def csv_reply(entries: Sequence[BatchEntry]) -> Reply:
    """Answer with a CSV table: reasons as their codes."""
    table = _answers(entries)
    codes = [
        "; ".join(reason["code"] for reason in said or ())
        for said in table["reasons"].to_pylist()
    ]
    place = table.schema.get_field_index("reasons")
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table.set_column(place, "reasons", pa.array(codes)), sink)
    return _reply(sink, CSV)


def parquet_reply(entries: Sequence[BatchEntry]) -> Reply:
    """Answer with a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(_answers(entries), sink)
    return _reply(sink, PARQUET)


def _reply(sink: Any, content_type: bytes) -> Reply:
    reply = decision_reply(sink.getvalue().to_pybytes())
    others = [h for h in reply.headers if h[0] != b"content-type"]
    return Reply(reply.status, reply.body, ((b"content-type", content_type), *others))


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


def _rows(
    parts: list[pa.RecordBatch], schema: pa.Schema, decoder: RequestDecoder, most: int
) -> Rows:
    return _checked_rows(parts, _check(schema, decoder.contract), decoder, most)


def _checked_rows(
    parts: list[pa.RecordBatch], check: TableCheck, decoder: RequestDecoder, most: int
) -> Rows:
    rows: Rows = []
    for part in parts:
        if len(rows) + part.num_rows > most:
            raise BatchTooLongError(f"the batch has more than {most} applications")
        rows += _applications(check.check(part), decoder)
    return rows


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
