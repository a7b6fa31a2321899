"""Cells to numbers: the text of a column as float64, exactly or not at all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from credit_scoring.contract.dates import DateFormat, read_date
from credit_scoring.contract.model import Column
from credit_scoring.contract.rules import code_of_label, days_from_date, label_reason

Bools = NDArray[np.bool_]

# As JSON writes numbers, and also +5, 007, .5 and 5. as banks' exports do.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NAMED = 12
NOT_A_NUMBER = "is not a number"
_PERCENT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+) ?%$"
_GROUPED = r"^[+-]?[$\x{20ac}\x{a3}]? ?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]*)?$"
_DECIMAL_COMMA = r"^[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]*)?$"


@dataclass(frozen=True)
class _Notation:
    """One way to write numbers: its pattern, how to make it plain, its name."""

    pattern: str
    replaced: tuple[tuple[str, str], ...]
    reason: str


# Replaced in the text, so that the number is the nearest to what is written: a
# division by 100 would round once more.
_NOTATIONS = {
    None: _Notation(_NUMBER, (), NOT_A_NUMBER),
    "percent": _Notation(
        _PERCENT, ((r" ?%", "e-2"),), "is not a percentage such as 10.65%"
    ),
    "grouped": _Notation(
        _GROUPED,
        ((r"[,$\x{20ac}\x{a3} ]", ""),),
        "is not a number such as 1,234.50",
    ),
    "decimal_comma": _Notation(
        _DECIMAL_COMMA, ((r"\.", ""), (",", ".")), "is not a number such as 1.234,50"
    ),
}


@dataclass(frozen=True)
class ParsedColumn:
    """The numbers of one column.

    Attributes:
        values: Shape (n,), float64; NaN where a cell is absent or unreadable.
        absent: Shape (n,); whether the cell is empty, or holds blanks alone.
        unreadable: Shape (n,); whether the cell's text is no such value.
        unreadable_reason: What was expected of the text.
        set_aside: Text -> shape (n,), whether a cell is this text, which the
            contract sets aside. Its value is NaN and it is not unreadable.
    """

    values: NDArray[np.float64]
    absent: Bools
    unreadable: Bools
    unreadable_reason: str
    set_aside: dict[str, Bools] = field(default_factory=dict)


def parse_column(cells: pa.Array, column: Column) -> ParsedColumn:
    """Read a column's cells as numbers, its dates as days since 1970-01-01.

    Blanks around a cell do not count. A number is decimal, with a point and an
    optional exponent: ``2``, ``2.0``, ``1e3``; no thousands separators, no
    ``inf`` or ``nan``. Each is the float64 nearest to what is written. A label
    of a string column with categories is read as its code.

    Args:
        cells: Strings, missing where empty, shape (n,), or what Arrow makes such
            an array of, as a pandas Series.
        column: What the cells are.
    """
    text = _without(_trimmed(cells), column.missing_values)
    if not (column.file_values or column.set_aside):
        return _parsed(text, column)
    set_aside = {
        value: _mask(pc.fill_null(pc.equal(text, value), fill_value=False))
        for value in column.set_aside
    }
    parsed = _parsed(_without(text, (*column.file_values, *column.set_aside)), column)
    absent = _mask(pc.is_null(text))
    known = _looked_up(text, absent, column.file_values.get, "")
    return replace(
        parsed,
        values=np.where(np.isnan(known.values), parsed.values, known.values),
        absent=absent,
        unreadable_reason=_either(column.file_values, parsed.unreadable_reason),
        set_aside=set_aside,
    )


def _parsed(text: pa.Array, column: Column) -> ParsedColumn:
    absent = _mask(pc.is_null(text))
    if column.type == "date":
        formats = column.date_formats
        reason = f"is not a date as {' or '.join(formats)}"
        return _looked_up(text, absent, partial(_days, formats=formats), reason)
    if column.type == "string":
        codes = code_of_label(column)
        return _looked_up(text, absent, codes.get, label_reason(column))
    notation = _NOTATIONS[column.format]
    readable = pc.match_substring_regex(text, notation.pattern)
    readable = pc.fill_null(readable, fill_value=False)
    plain = pc.if_else(readable, text, pa.scalar(None, text.type))
    for pattern, put in notation.replaced:
        plain = pc.replace_substring_regex(plain, pattern, put)
    unreadable = ~(_mask(readable) | absent)
    return ParsedColumn(
        _floats(plain.cast(pa.float64())), absent, unreadable, notation.reason
    )


def _without(text: pa.Array, values: Iterable[str]) -> pa.Array:
    """Take texts that have a meaning of their own out of a column."""
    named = pa.array(list(values), type=text.type)
    if not len(named):
        return text
    return pc.if_else(pc.is_in(text, value_set=named), pa.scalar(None, text.type), text)


def _either(known: Mapping[str, float], reason: str) -> str:
    """Name the texts that are accepted, where they are few."""
    if not 0 < len(known) <= _NAMED:
        return reason
    return f"{reason}, and none of {', '.join(known)}"


def text_array(cells: pa.Array) -> pa.Array:
    """Give strings as one Arrow array of one type.

    Args:
        cells: Strings, missing where empty: an array of Arrow's, or what it makes
            one of.
    """
    if isinstance(cells, pa.Array):
        return cells.cast(pa.large_string())
    text = pa.array(cells, type=pa.large_string(), from_pandas=True)
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _trimmed(cells: pa.Array) -> pa.Array:
    text = text_array(cells)
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


def _days(text: str, *, formats: Sequence[DateFormat]) -> float | None:
    day = read_date(text, formats)
    return None if day is None else days_from_date(day)


def _mask(bools: pa.Array) -> Bools:
    return np.asarray(bools.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _floats(numbers: pa.Array) -> NDArray[np.float64]:
    return np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
