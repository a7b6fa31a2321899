"""Tables of applications under the contract: typed columns to numbers, part by part.

A column is judged by the rules that files and requests have, whether it comes as
numbers or as text. What cannot be a column of the contract (a list, a boolean, a
name that stands twice) is refused before a row is read; what is wrong with a cell
is said of the cell.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from credit_scoring.contract.cells import Bools, Fault, id_faults, number_faults
from credit_scoring.contract.cells import put_aside_by as set_aside_by
from credit_scoring.contract.kernels import all_between, any_missing
from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.contract.parsing import ParsedColumn, parse_column, text_array
from credit_scoring.contract.rules import (
    allowed_codes,
    exempt_values,
    is_contiguous,
    needs_standardising,
    standardise,
)
from credit_scoring.errors import ContractError

Values = NDArray[np.float64]

_SHOWN = 8
_TYPE_LENGTH = 40


@dataclass(frozen=True)
class CheckedTable:
    """Some rows of a table, judged.

    Attributes:
        loan_ids: Texts, shape (n,).
        cells: Contract name -> the column as it came.
        numbers: Contract name of an input -> float64, shape (n,): as written, a
            label as its code, a date as days since 1970-01-01; NaN is missing.
        with_history: Whether a row brings its history, shape (n,).
        faults: What is wrong, by column.
        broken: Whether anything is wrong with a row, shape (n,).
    """

    loan_ids: pa.Array
    cells: Mapping[str, pa.Array]
    numbers: Mapping[str, Values]
    with_history: Bools
    faults: tuple[Fault, ...]
    broken: Bools

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.broken)


class TableCheck:
    """Reads tables of one schema under the contract."""

    def __init__(
        self,
        contract: Contract,
        schema: pa.Schema,
        *,
        name: str,
        roles: Sequence[Role] = (Role.ID, Role.APPLICATION, Role.HISTORY),
        fixed: Mapping[str, str] | None = None,
    ) -> None:
        """Find the contract's columns in a schema.

        Columns are named as the contract does, or all as its sources are.

        Args:
            contract: What the columns must be.
            schema: Of the table.
            name: What to call the table in messages.
            roles: Columns of other roles are neither read nor judged.
            fixed: Columns that every row has with the same text, as a partition's
                path says them.

        Raises:
            ContractError: If a column is missing, stands there twice, or has a
                type that none of the contract has.
        """
        self._contract = contract
        self._name = name
        self._columns = {n: contract.columns[n] for n in contract.names(*roles)}
        self._fixed: dict[str, str] = {}
        self._found = self._find(schema, dict(fixed or {}))
        history = contract.names(Role.HISTORY)
        self.has_history = not history or any(
            n in self._found or n in self._fixed for n in history
        )
        self._absence_is_told = [n for n in history if not contract.columns[n].nullable]
        self._check_all_there()
        self._check_types(schema)

    @property
    def sources(self) -> list[str]:
        """Names of the table's columns that are read."""
        return list(self._found.values())

    def check(self, batch: pa.RecordBatch) -> CheckedTable:
        """Judge the cells of some rows.

        Args:
            batch: Has the `sources`, at least; dictionaries are read as values.
        """
        n = batch.num_rows
        cells = {
            name: _plain(batch.column(batch.schema.get_field_index(source)))
            for name, source in self._found.items()
        }
        for name, text in self._fixed.items():
            cells[name] = pa.repeat(pa.scalar(text, pa.large_string()), n)
        faults: list[Fault] = []
        numbers: dict[str, Values] = {}
        absent: dict[str, Bools] = {}
        loan_ids = cells[self._contract.id_name] = _texts(cells[self._contract.id_name])
        for name, column in self._columns.items():
            if column.role is Role.ID:
                faults += id_faults(loan_ids, name, column)
            elif name in cells:
                parsed = _numbers(cells[name], column)
                numbers[name] = parsed.values
                absent[name] = parsed.absent
                faults += _judged(parsed, name, column)
        with_history = self._with_history(absent, n)
        faults = list(self._without_told(faults, with_history))
        broken = np.zeros(n, np.bool_)
        for fault in faults:
            broken |= fault.broken
        return CheckedTable(
            loan_ids, cells, numbers, with_history, tuple(faults), broken
        )

    def rows(self, table: CheckedTable, chosen: NDArray[np.int64] | None) -> Values:
        """Give the columns that features may use, side by side, as a decision does.

        Args:
            table: From `check`.
            chosen: Places of the rows that are wanted, rising; None for all.

        Returns:
            Shape (n, n_inputs), C order, in the order of the contract's inputs;
            recodes and sentinels are read, and -0 is 0.
        """
        names = self._contract.input_names
        n = len(table) if chosen is None else len(chosen)
        rows = np.empty((n, len(names)))
        part = None if chosen is None else _as_slice(chosen)
        for place, name in enumerate(names):
            values = table.numbers.get(name)
            if values is None:
                rows[:, place] = np.nan
                continue
            given = values if part is None else values[part]
            column = self._contract.columns[name]
            if needs_standardising(column):
                rows[:, place] = standardise(given, column)
            else:
                np.add(given, 0.0, out=rows[:, place])  # -0 is 0
        return rows

    def _find(self, schema: pa.Schema, fixed: dict[str, str]) -> dict[str, str]:
        present = [*schema.names, *fixed]
        sources = {name: column.source for name, column in self._columns.items()}
        ours, theirs = sources.keys() & set(present), set(sources.values())
        by_name = len(ours) >= len(theirs & set(present))
        wanted = {name: name if by_name else source for name, source in sources.items()}
        twice = [s for s in wanted.values() if present.count(s) > 1]
        if twice:
            raise ContractError(
                f"{self._name}: {len(twice)} column(s) stand there more than once: "
                f"{', '.join(twice[:_SHOWN])}"
            )
        self._fixed = {n: fixed[s] for n, s in wanted.items() if s in fixed}
        self._wanted, self._present = wanted, present
        return {n: s for n, s in wanted.items() if s in schema.names}

    def _check_all_there(self) -> None:
        optional = {
            n
            for n, column in self._columns.items()
            if column.role in (Role.PROTECTED, Role.DATE)
            or (column.role is Role.HISTORY and not self.has_history)
        }
        missing = [
            source
            for name, source in self._wanted.items()
            if not {name} & (self._found.keys() | self._fixed.keys() | optional)
        ]
        if not missing:
            return
        near = [
            f"; instead of {one} there is {close[0]!r:.66}"
            for one in missing[:_SHOWN]
            if (close := difflib.get_close_matches(one, self._present, 1, 0.75))
        ]
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise ContractError(
            f"{self._name}: {len(missing)} column(s) missing: "
            f"{', '.join(missing[:_SHOWN])}{more}{''.join(near)}. Expected the "
            "contract's names, or those of its sources"
        )

    def _check_types(self, schema: pa.Schema) -> None:
        for name, source in self._found.items():
            kind = schema.field(source).type
            expected = _misfit(kind, self._columns[name])
            if expected:
                raise ContractError(
                    f"{self._name}: column {source} is of type "
                    f"{kind!s:.{_TYPE_LENGTH}}; expected {expected}"
                )

    def _with_history(self, absent: Mapping[str, Bools], n: int) -> Bools:
        """A row without any value of its history is one that comes without it."""
        if not self.has_history:
            return np.zeros(n, np.bool_)
        if not self._absence_is_told:
            return np.ones(n, np.bool_)
        nothing = np.ones(n, np.bool_)
        for name in self._contract.names(Role.HISTORY):
            nothing &= absent[name]
            if not nothing.any():
                break
        return ~nothing

    def _without_told(
        self, faults: list[Fault], with_history: Bools
    ) -> Iterator[Fault]:
        """Keep the faults that some row has; no history at all is none."""
        whole = bool(with_history.all())
        for fault in faults:
            broken = fault.broken
            if not whole and fault.column in self._absence_is_told:
                broken = broken & with_history
            if broken.any():
                yield Fault(fault.column, fault.reason, broken)


def _as_slice(chosen: NDArray[np.int64]) -> Any:
    """Say places that follow one another as a slice, which costs no copy."""
    if len(chosen) and chosen[-1] - chosen[0] + 1 == len(chosen):
        return slice(int(chosen[0]), int(chosen[-1]) + 1)
    return chosen


def _misfit(kind: pa.DataType, column: Column) -> str:
    """Say what a column's type should be; nothing if it is."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if _is_text(kind) or pa.types.is_null(kind):
        return ""
    if column.type == "date":
        return "" if pa.types.is_date(kind) else "a date, or text"
    if column.type == "string":
        # Accounts are often numbered.
        fits = column.role is Role.ID and pa.types.is_integer(kind)
        return "" if fits else "text"
    fits = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    )
    return "" if fits else "numbers, or text"


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )


def _plain(cells: pa.Array) -> pa.Array:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells


def _texts(cells: pa.Array) -> pa.Array:
    text = text_array(cells)
    # As in a CSV file, which cannot tell the two.
    if not _any_without_letters(text):
        return text
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)


def _any_without_letters(text: pa.Array) -> bool:
    """Say whether a text is empty or missing, of Arrow's ``large_string``.

    Seen from where the texts begin: given a value of Python's, Arrow would import
    pandas, which takes a second.
    """
    if not len(text):
        return False
    starts = np.frombuffer(text.buffers()[1], np.int64)[text.offset :][: len(text) + 1]
    return bool((starts[1:] == starts[:-1]).any())


def _numbers(cells: pa.Array, column: Column) -> ParsedColumn:
    kind = cells.type
    if pa.types.is_decimal(kind):
        # Through text, so that each is the nearest float64.
        cells = cells.cast(pa.string())
    if _is_text(cells.type):
        return parse_column(cells, column)
    if pa.types.is_date(kind):
        cells = cells.cast(pa.date32()).cast(pa.int32())
    numbers = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    values = np.asarray(numbers, np.float64)
    nothing = np.zeros(len(values), np.bool_)
    absent = np.isnan(values) if any_missing(_fixed(values)) else nothing
    return ParsedColumn(values, absent, nothing, "")


def _judged(parsed: ParsedColumn, name: str, column: Column) -> Iterator[Fault]:
    if _is_right(parsed, column):
        return
    yield from number_faults(parsed, name, column)
    yield from set_aside_by(parsed, name, column)


def _is_right(parsed: ParsedColumn, column: Column) -> bool:
    """Say at once that no cell breaks a rule; else each rule has its turn."""
    low, high = column.minimum, column.maximum
    if column.categories is not None:
        codes = allowed_codes(column)
        if not is_contiguous(codes):
            return False
        low, high = codes[0], codes[-1]
    if low is None or high is None or not len(parsed.values):
        return False
    if column.categories is None and exempt_values(column):
        return False
    whole = column.type == "integer" or column.categories is not None
    return all_between(_fixed(parsed.values), float(low), float(high), whole)


def _fixed(values: Values) -> Values:
    """Give values in the one form that kernels are compiled for: not to be changed.

    Numbers of Arrow's come in it, and are not copied.
    """
    fixed = np.ascontiguousarray(values).view()
    fixed.flags.writeable = False
    return fixed
