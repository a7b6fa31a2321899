"""Cells to numbers: the text of a column as float64, exactly or not at all."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from credit_scoring.contract.model import Column
from credit_scoring.contract.rules import (
    NOT_A_DATE,
    code_of_label,
    days_from_date,
    label_reason,
    parse_date,
)

Bools = NDArray[np.bool_]

# As JSON writes numbers, and also +5, 007, .5 and 5. as banks' exports do.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
NOT_A_NUMBER = "is not a number"


@dataclass(frozen=True)
class ParsedColumn:
    """The numbers of one column.

    Attributes:
        values: Shape (n,), float64; NaN where a cell is absent or unreadable.
        absent: Shape (n,); whether the cell is empty, or holds blanks alone.
        unreadable: Shape (n,); whether the cell's text is no such value.
        unreadable_reason: What was expected of the text.
    """

    values: NDArray[np.float64]
    absent: Bools
    unreadable: Bools
    unreadable_reason: str


def parse_column(cells: pd.Series, column: Column) -> ParsedColumn:
    """Read a column's cells as numbers, its dates as days since 1970-01-01.

    Blanks around a cell do not count. A number is decimal, with a point and an
    optional exponent: ``2``, ``2.0``, ``1e3``; no thousands separators, no
    ``inf`` or ``nan``. Each is the float64 nearest to what is written. A label
    of a string column with categories is read as its code.

    Args:
        cells: Strings, missing where empty, shape (n,).
        column: What the cells are.
    """
    text = _trimmed(cells)
    absent = _mask(pc.is_null(text))
    if column.type == "date":
        return _looked_up(text, absent, _days, NOT_A_DATE)
    if column.type == "string":
        codes = code_of_label(column)
        return _looked_up(text, absent, codes.get, label_reason(column))
    readable = pc.fill_null(pc.match_substring_regex(text, _NUMBER), fill_value=False)
    numbers = pc.if_else(readable, text, pa.scalar(None, text.type)).cast(pa.float64())
    unreadable = ~(_mask(readable) | absent)
    return ParsedColumn(_floats(numbers), absent, unreadable, NOT_A_NUMBER)


def _trimmed(cells: pd.Series) -> pa.Array:
    text = pa.array(cells, type=pa.large_string(), from_pandas=True)
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    trimmed = pc.ascii_trim(text, characters=" \t")
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, text.type), trimmed)


def _looked_up(
    text: pa.Array, absent: Bools, number: Callable[[str], float | None], reason: str
) -> ParsedColumn:
    encoded = text.dictionary_encode()
    by_code = pa.array(
        [number(v) for v in encoded.dictionary.to_pylist()], pa.float64()
    )
    values = _floats(by_code.take(encoded.indices))
    return ParsedColumn(values, absent, np.isnan(values) & ~absent, reason)


def _days(text: str) -> float | None:
    day = parse_date(text)
    return None if day is None else days_from_date(day)


def _mask(bools: pa.Array) -> Bools:
    return np.asarray(bools.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _floats(numbers: pa.Array) -> NDArray[np.float64]:
    return np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
