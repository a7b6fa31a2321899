"""The forms of a batch: how its rows are read, and how its answers are written."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from credit_scoring.contract.request import Application, RequestDecoder
from credit_scoring.errors import BatchTooLongError, InvalidRequestError
from credit_scoring.serving.answers import BatchEntry
from credit_scoring.serving.messages import Reply, json_reply, ndjson_reply
from credit_scoring.serving.problems import Header

Rows = list[Application | InvalidRequestError]

NDJSON = b"application/x-ndjson"
CSV = b"text/csv"
PARQUET = b"application/vnd.apache.parquet"
OTHER_TYPES = (NDJSON, CSV, PARQUET)


class Form(NamedTuple):
    """One form of a batch.

    Attributes:
        read: Of the body, the decoder and the most rows: makes rows. Raises
            `BatchTooLongError`, or `InvalidRequestError` if the body as a whole is
            none of this form.
        write: Makes the answer of one entry for each row.
    """

    read: Callable[[bytes, RequestDecoder, int], Rows]
    write: Callable[[Sequence[BatchEntry]], Reply]


def form_of(headers: Sequence[Header]) -> Form:
    """Find the form that a request's content type names; it is one of ours."""
    given = next((value for name, value in headers if name == b"content-type"), b"")
    essence = given.partition(b";")[0].strip().lower()
    if essence == NDJSON:
        return Form(_read_lines, ndjson_reply)
    if essence not in OTHER_TYPES:
        return Form(_read_array, json_reply)
    # Arrow is large, and most services never get such a batch.
    from credit_scoring.serving import tables

    if essence == CSV:
        return Form(tables.read_csv_rows, tables.csv_reply)
    return Form(tables.read_parquet_rows, tables.parquet_reply)


def _read_array(body: bytes, decoder: RequestDecoder, most: int) -> Rows:
    return decoder.decode_many(body, most=most)


def _read_lines(body: bytes, decoder: RequestDecoder, most: int) -> Rows:
    # Counted first, so that what is too long costs no memory that grows with it.
    if body.count(b"\n") > 2 * most:
        raise BatchTooLongError(f"the batch has more than {most} lines")
    lines = [line for line in body.split(b"\n") if line.strip(b" \t\r")]
    if len(lines) > most:
        raise BatchTooLongError(f"the batch has more than {most} applications")
    return [decoder.decode_or_error(line) for line in lines]
