"""Reading a file of applications: bytes to a frame of strings, nothing guessed."""

import difflib
import gzip
import hashlib
import io
import zlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from credit_scoring.contract.csv_faults import (
    explain_csv_fault,
    header_of,
    line_numbers,
    utf8_without_mark,
)
from credit_scoring.contract.model import Contract
from credit_scoring.errors import ContractError

SOURCE_ROW = "source_row"
SHA256 = "sha256"
ROWS_IN_FILES = "rows_in_files"

_GZIP_MAGIC = b"\x1f\x8b"
_SHOWN = 8


def read_applications(path: Path) -> pd.DataFrame:
    """Read a CSV file of applications, plain or gzip.

    Args:
        path: The file; comma-separated, UTF-8 with or without a byte order mark.

    Returns:
        One row an application, every cell a string as it is written, an empty
        cell missing. The index ``source_row`` is the line of the file where the
        row begins, 1 being the header. ``attrs["sha256"]`` is the file's digest.

    Raises:
        ContractError: If the file is missing, empty, truncated, corrupt, not
            UTF-8, or not a table: which row, and what was expected.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ContractError(f"{path}: cannot be read: {reason}") from error
    return table_from_bytes(content, name=str(path))


def table_from_bytes(
    content: bytes, *, name: str, delimiter: str = ",", encoding: str = "utf-8"
) -> pd.DataFrame:
    """Read the bytes of a CSV file, plain or gzip; see `read_applications`.

    Args:
        content: The file's bytes.
        name: What to call the file in messages.
        delimiter: Between cells.
        encoding: Of the text, as Python names it.

    Raises:
        ContractError: If the bytes are not such a file.
    """
    text = decompressed(content, name)
    if encoding.lower() not in ("utf-8", "utf8"):
        text = _as_utf8(text, encoding, name)
    text = utf8_without_mark(text, name)
    if not text.strip():
        raise ContractError(f"{name}: the file is empty; expected a header and rows")
    header = header_of(text, name, delimiter)
    table = _parsed(text, header, name, delimiter)
    if table.num_rows == 0:
        raise ContractError(f"{name}: the file has a header but no rows")
    frame: pd.DataFrame = table.to_pandas()
    frame.columns = pd.Index(header)
    lines = line_numbers(text, rows=table.num_rows, name=name, delimiter=delimiter)
    frame.index = pd.Index(lines, name=SOURCE_ROW)
    frame.attrs[SHA256] = hashlib.sha256(content).hexdigest()
    return frame


def select_columns(
    table: pd.DataFrame, contract: Contract, *, name: str = "the file"
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Take the contract's columns from a table, under the contract's names.

    The table names them as the contract does, or all as its sources are.

    Args:
        table: As `read_applications` gives it.
        contract: Names the columns and their sources.
        name: What to call the file in messages.

    Returns:
        The frame, with ``source_row`` as its first column, and the names of
        the additional columns, which are ignored.

    Raises:
        ContractError: If columns are missing (with names that come near) or
            stand in the header twice.
    """
    present = list(table.columns)
    wanted = {column.source: api for api, column in contract.columns.items()}
    if len(contract.columns.keys() & set(present)) > len(wanted.keys() & set(present)):
        wanted = {api: api for api in contract.columns}
    twice = sorted({source for source in wanted if present.count(source) > 1})
    if twice:
        raise ContractError(
            f"{name}: the header names {len(twice)} column(s) more than once: "
            f"{', '.join(twice[:_SHOWN])}"
        )
    ignored = tuple(column for column in present if column not in wanted)
    missing = [source for source in wanted if source not in present]
    if missing:
        raise ContractError(_missing_message(missing, ignored, name))
    frame = table[list(wanted)].rename(columns=wanted).reset_index()
    frame.attrs.clear()
    return frame, ignored


def _missing_message(missing: list[str], others: Sequence[str], name: str) -> str:
    hints = []
    if len(others) == 1:
        separators = {";": "semicolons", "\t": "tabs", "|": "bars"}
        hints = [
            f"; the header seems to be separated by {word}: expected commas"
            for mark, word in separators.items()
            if mark in others[0]
        ]
    folded = {other.casefold().strip(): other for other in others}
    for source in missing[:_SHOWN]:
        near = difflib.get_close_matches(source.casefold(), folded, n=1, cutoff=0.75)
        if near:
            hints.append(f"; instead of {source} there is {folded[near[0]]!r:.66}")
    shown = ", ".join(missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return (
        f"{name}: {len(missing)} column(s) missing: {shown}{more}"
        f"{''.join(hints)}. Correct the file's header, or the contract's sources"
    )


def decompressed(content: bytes, name: str) -> bytes:
    """Unpack the bytes of a gzip file; others are as they are.

    Raises:
        ContractError: If the file is truncated or corrupt.
    """
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except EOFError as error:
        raise ContractError(
            f"{name}: the gzip file is truncated after {len(content)} bytes; "
            "copy or download it again"
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ContractError(
            f"{name}: the gzip file is corrupt; copy or download it again"
        ) from error


def _as_utf8(content: bytes, encoding: str, name: str) -> bytes:
    try:
        return content.decode(encoding).removeprefix("\ufeff").encode()
    except LookupError as error:
        raise ContractError(f"{name}: no encoding is named {encoding!r}") from error
    except UnicodeError as error:
        raise ContractError(f"{name}: not encoded as {encoding}") from error


def _parsed(text: bytes, header: list[str], name: str, delimiter: str) -> pa.Table:
    # Columns are numbered, not named, so that a name may stand twice.
    numbers = [str(index) for index in range(len(header))]
    try:
        return arrow_csv.read_csv(
            io.BytesIO(text),
            read_options=arrow_csv.ReadOptions(column_names=numbers, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(
                newlines_in_values=True, delimiter=delimiter
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(numbers, pa.large_string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        # Arrow's own message quotes the row, which is an applicant's.
        raise explain_csv_fault(
            text, cells=len(header), name=name, delimiter=delimiter
        ) from None
