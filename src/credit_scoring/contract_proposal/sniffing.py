"""How an unknown file is written: its encoding and what separates its cells."""

import codecs
import csv
import io
import itertools
from dataclasses import dataclass

from credit_scoring.contract.reading import decompressed
from credit_scoring.errors import ContractError

_DELIMITERS = (",", ";", "\t", "|")
_RECORDS = 200
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class FileForm:
    """How a file is written.

    Attributes:
        encoding: As Python names it.
        delimiter: Between cells.
    """

    encoding: str
    delimiter: str


def sniff(content: bytes, name: str) -> FileForm:
    """Find out how a file is written.

    Args:
        content: The bytes of the file, plain or gzip.
        name: What to call it in messages.

    Raises:
        ContractError: If no separator gives a table of two columns or more.
    """
    content = decompressed(content, name)
    encoding = _encoding(content)
    text = content.decode(encoding, errors="replace").removeprefix("\ufeff")
    widths = {delimiter: _width(text, delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: widths[delimiter])
    if widths[best] <= 1:
        raise ContractError(
            f"{name}: not a table; no comma, semicolon, tab or bar separates as many "
            "cells in each row"
        )
    return FileForm(encoding, best)


def _encoding(content: bytes) -> str:
    if content.startswith(_UTF16):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        # Five bytes have no meaning in Windows-1252, and all have one in Latin-1.
        undefined = set(b"\x81\x8d\x8f\x90\x9d")
        return "latin-1" if undefined & set(content) else "cp1252"
    return "utf-8"


def _width(text: str, delimiter: str) -> int:
    """Cells of each of the first records; 0 if they differ."""
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        found = {len(r) for r in itertools.islice(records, _RECORDS) if r}
    except csv.Error:
        return 0
    return found.pop() if len(found) == 1 else 0
