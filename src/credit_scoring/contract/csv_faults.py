"""Where a CSV text is broken, and on which line each of its rows begins."""

import csv
import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.bodies import Body, count, not_utf8_at
from credit_scoring.errors import ContractError

_ZIP_MAGIC = b"PK\x03\x04"
_UTF8_BOM = b"\xef\xbb\xbf"
# UTF-32 before UTF-16: the shorter mark is the beginning of the longer one.
_OTHER_BOMS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def utf8_without_mark(content: bytes, name: str) -> bytes:
    """Make sure that a text is UTF-8, and take its byte order mark off.

    Raises:
        ContractError: If it is encoded otherwise, or no text.
    """
    return content[check_utf8(content, name) :]


def check_utf8(content: Body, name: str) -> int:
    """Make sure that a text is UTF-8; gives the length of its byte order mark.

    Raises:
        ContractError: If it is encoded otherwise, or no text.
    """
    start = content[:4]
    for mark, encoding in _OTHER_BOMS.items():
        if start.startswith(mark):
            raise ContractError(f"{name}: encoded as {encoding}; save it as UTF-8")
    if start.startswith(_ZIP_MAGIC):
        raise ContractError(f"{name}: a ZIP or Excel file; save it as CSV in UTF-8")
    place = not_utf8_at(content)
    if place is not None:
        line = count(content, b"\n", before=place) + 1
        raise ContractError(
            f"{name}: not UTF-8 at byte {place} (line {line}); it may be "
            "Latin-1 or Windows-1252: save it as UTF-8"
        )
    zero = content.find(b"\0")
    if zero >= 0:
        raise ContractError(
            f"{name}: holds a zero byte at byte {zero}, so it is no text "
            "in UTF-8; it may be UTF-16 or a binary file: save it as CSV in UTF-8"
        )
    return len(_UTF8_BOM) if start.startswith(_UTF8_BOM) else 0


def header_of(text: bytes, name: str, delimiter: str = ",") -> list[str]:
    """Read the names in the first line of a CSV text.

    Raises:
        ContractError: If the first line is blank, the header goes over more
            than one line, or a quote in it is not closed.
    """
    header = next(_records(text, name, delimiter), (1, []))[1]
    if not header:
        raise ContractError(f"{name}: the first line is blank; expected the header")
    if any("\n" in cell or "\r" in cell for cell in header):
        raise ContractError(f"{name}: the header goes over more than one line")
    return header


def line_numbers(
    text: bytes, *, rows: int, name: str, delimiter: str = ","
) -> NDArray[np.int64]:
    """Give the line on which each row begins; the header is line 1.

    Args:
        text: The whole CSV text.
        rows: Number of rows that were read from it.
        name: What to call the file in messages.
        delimiter: Between cells.

    Returns:
        Shape (rows,).

    Raises:
        ContractError: If quotes are used so that the rows cannot be told apart.
    """
    body = text.rstrip(b"\r\n")
    feeds, returns = body.count(b"\n"), body.count(b"\r")
    mixed = feeds > 0 and returns not in (0, feeds)
    # As many line breaks as rows: no blank line, no line break within a cell.
    if not mixed and (feeds or returns) == rows:
        return np.arange(2, rows + 2, dtype=np.int64)
    records = _records(text, name, delimiter)
    next(records)
    lines = np.array([line for line, cells in records if cells], dtype=np.int64)
    if lines.size != rows:
        raise ContractError(
            f"{name}: quotes are used so that rows cannot be told apart; expected "
            'quotes around whole cells, and a quote in a cell written as ""'
        )
    return lines


def explain_csv_fault(
    text: bytes, *, cells: int, name: str, delimiter: str = ","
) -> ContractError:
    """Find the first row that is not as the header says.

    Args:
        text: A CSV text that was refused.
        cells: Number of names in its header.
        name: What to call the file in messages.
        delimiter: Between cells.

    Returns:
        What is wrong and on which line, without any content of the row.
    """
    try:
        for line, found in _records(text, name, delimiter):
            if found and len(found) != cells:
                return ContractError(
                    f"{name}: line {line} has {len(found)} cell(s); expected "
                    f"{cells} as in the header"
                )
    except ContractError as error:
        return error
    mark = _NAMES.get(delimiter, delimiter)
    return ContractError(f"{name}: not a table separated by {mark}")


def _records(text: bytes, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record with the line on which it begins."""
    reader = csv.reader(
        io.StringIO(text.decode(), newline=""), strict=True, delimiter=delimiter
    )
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ContractError(_quote_message(str(error), line, name)) from None


def _quote_message(fault: str, line: int, name: str) -> str:
    if "expected after" in fault:
        return (
            f"{name}: in the row that begins on line {line} a closing quote is "
            'followed by text; expected a comma, and a quote in a cell written as ""'
        )
    # At the end of the text, or after more characters than a cell may have.
    return f"{name}: a quote opened in the row that begins on line {line} is not closed"
