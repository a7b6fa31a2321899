"""The forms of a batch: how its rows are read, and how its answers are written.

Rows are read one after another, and answers are written some at a time, so that a batch
takes no memory that grows with it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from credit_scoring.contract.bodies import Body, count, lines
from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.errors import BatchTooLongError, InvalidRequestError
from credit_scoring.serving.answers import BatchEntry
from credit_scoring.serving.messages import encode_lines, encode_members
from credit_scoring.serving.problems import Header

Rows = Iterator[Application | InvalidRequestError]

JSON = b"application/json"
NDJSON = b"application/x-ndjson"
CSV = b"text/csv"
PARQUET = b"application/vnd.apache.parquet"
OTHER_TYPES = (NDJSON, CSV, PARQUET)


class Writer(Protocol):
    """Writes the answer to one batch."""

    def write(self, entries: Sequence[BatchEntry], *, last: bool) -> bytes:
        """Write some entries, in order.

        Args:
            entries: One for each row; none only where they are the last.
            last: Whether the answer ends with them.
        """


class Form(NamedTuple):
    """One form of a batch.

    Attributes:
        content_type: Its name.
        read: Of the body, the decoder and the most rows: makes rows, one after
            another. Raises `BatchTooLongError`, or `InvalidRequestError` if the body
            as a whole is none of this form, before it gives the first.
        writer: Makes what writes one answer.
    """

    content_type: bytes
    read: Callable[[Body, RequestDecoder, int], Rows]
    writer: Callable[[], Writer]


def form_of(headers: Sequence[Header]) -> Form:
    """Find the form that a request's content type names; it is one of ours."""
    given = next((value for name, value in headers if name == b"content-type"), b"")
    essence = given.partition(b";")[0].strip().lower()
    if essence == NDJSON:
        return Form(NDJSON, _read_lines, _LinesWriter)
    if essence not in OTHER_TYPES:
        return Form(JSON, _read_array, _ArrayWriter)
    # Arrow is large, and most services never get such a batch.
    from credit_scoring.serving import tables

    if essence == CSV:
        return Form(CSV, tables.read_csv_rows, tables.CsvWriter)
    return Form(PARQUET, tables.read_parquet_rows, tables.ParquetWriter)


def _read_array(body: Body, decoder: RequestDecoder, most: int) -> Rows:
    return decoder.decode_many(body, most=most)


def _read_lines(body: Body, decoder: RequestDecoder, most: int) -> Rows:
    # Counted first, so that what is too long costs no memory that grows with it.
    if count(body, b"\n") > 2 * most:
        raise BatchTooLongError(f"the batch has more than {most} lines")
    if sum(1 for _ in lines(body)) > most:
        raise BatchTooLongError(f"the batch has more than {most} applications")
    return (decoder.decode_or_error(line) for line in lines(body))


class _LinesWriter:
    """Writes an entry as JSON on each line."""

    def write(self, entries: Sequence[BatchEntry], *, last: bool) -> bytes:
        """See `Writer`."""
        return encode_lines(entries)


class _ArrayWriter:
    """Writes a JSON array."""

    _before = b"["

    def write(self, entries: Sequence[BatchEntry], *, last: bool) -> bytes:
        """See `Writer`."""
        members = self._before + encode_members(entries) if entries else b""
        self._before = b","
        return members + b"]" if last else members
