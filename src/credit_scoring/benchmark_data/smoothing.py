"""A smoothed bootstrap of whole rows: what belongs together stays together.

A row is drawn as a whole, with its outcome and with what is missing in it, so every
dependence among columns is that of the source. What is a quantity in it is then moved
a little, all quantities of one row, role and unit by one factor: ratios, equal amounts
(a statement paid in full), zeros and signs stay as they were.

Source: Silverman, Density Estimation for Statistics and Data Analysis (1986),
section 6.4, with a lognormal kernel in place of a Gaussian one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit_scoring.contract.model import Column, Contract, Role
from credit_scoring.errors import BenchmarkDataError

Values = NDArray[np.float64]

CHUNK_ROWS = 131_072
# A column with fewer distinct values, for each row of the source, is a menu: credit
# limits are. A moved value would be one that nobody is given.
_MENU_SHARE = 0.01
_FINEST_DECIMALS = 6
_ID_DIGITS = 12


@dataclass(frozen=True)
class Moved:
    """Columns of a row that one factor moves.

    Attributes:
        names: Of the columns.
        steps: For each the largest step that all its values are multiples of.
        ranges: For each the least and the largest value that the contract allows.
    """

    names: tuple[str, ...]
    steps: tuple[float, ...]
    ranges: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Source:
    """Real applications, and how they are varied.

    Attributes:
        table: The rows, with the contract's names.
        id_name: Column that numbers the rows that are made.
        groups: What is moved together.
        spread: Standard deviation of the logarithm of a factor.
    """

    table: pa.Table
    id_name: str
    groups: tuple[Moved, ...]
    spread: float

    @property
    def moved(self) -> tuple[str, ...]:
        """Names of all columns whose values are moved."""
        return tuple(name for group in self.groups for name in group.names)


def prepare_source(table: pa.Table, contract: Contract, *, spread: float) -> Source:
    """Find out which columns of real applications are quantities.

    Args:
        table: Applications that keep the contract, under its names.
        contract: What the columns are.
        spread: Standard deviation of the logarithm of a factor, in [0, 1]; 0
            repeats the rows as they are.

    Raises:
        BenchmarkDataError: If there is no row, a column is missing, or the spread
            is none.
    """
    if not 0 <= spread <= 1:
        raise BenchmarkDataError(f"the spread is {spread}; expected 0 to 1")
    missing = [name for name in contract.columns if name not in table.column_names]
    if missing or not table.num_rows:
        raise BenchmarkDataError(
            f"the source has {table.num_rows} rows and lacks {len(missing)} columns "
            f"of the contract: {', '.join(missing[:8]) or 'none'}; expected validated "
            "applications"
        )
    table = table.select(list(contract.columns)).combine_chunks()
    members: dict[tuple[Role, str | None], list[str]] = {}
    for name in contract.input_names:
        column = contract.columns[name]
        if _is_quantity(column, _numbers(table, name)):
            members.setdefault((column.role, column.unit), []).append(name)
    groups = tuple(_moved(names, table, contract) for names in members.values())
    return Source(table, contract.id_name, groups, spread)


def make_chunk(
    source: Source, *, seed: int, number: int, rows: int = CHUNK_ROWS
) -> pa.Table:
    """Make one chunk; no other chunk is needed for it.

    Args:
        source: From `prepare_source`.
        seed: Names the data; another seed gives other rows.
        number: Of the chunk, from 0.
        rows: Rows of the chunk that are wanted, from its first on, 1 to
            `CHUNK_ROWS`; the rows of a shorter chunk begin a longer one.

    Returns:
        The same table for the same arguments; ids say the place of a row in the
        whole, from 1.

    Raises:
        BenchmarkDataError: If a chunk has no such number of rows.
    """
    if not 1 <= rows <= CHUNK_ROWS:
        raise BenchmarkDataError(f"{rows} rows in a chunk; expected 1 to {CHUNK_ROWS}")
    generator = np.random.default_rng([seed, number])
    drawn = generator.integers(0, source.table.num_rows, CHUNK_ROWS)[:rows]
    made = source.table.take(pa.array(drawn))
    first = number * CHUNK_ROWS + 1
    made = _with(made, source.id_name, _ids(first, rows))
    for group in source.groups:
        # Always a whole chunk's, so that a short one has the same.
        exponents = generator.standard_normal(CHUNK_ROWS)[:rows] * source.spread
        factors = np.exp(exponents - source.spread**2 / 2)
        for name, step, limits in zip(
            group.names, group.steps, group.ranges, strict=True
        ):
            values = _numbers(made, name)
            moved = np.clip(np.round(values * factors / step) * step, *limits)
            kept = np.where(moved == 0, values, moved)
            made = _with(made, name, pa.array(kept, from_pandas=True))
    return made


def _is_quantity(column: Column, values: Values) -> bool:
    if column.type not in ("integer", "number") or column.categories is not None:
        return False
    if column.unit is None or column.sentinels:
        return False
    known = values[~np.isnan(values)]
    return len(np.unique(known)) > _MENU_SHARE * len(values)


def _moved(names: Sequence[str], table: pa.Table, contract: Contract) -> Moved:
    return Moved(
        tuple(names),
        tuple(_step(_numbers(table, name)) for name in names),
        tuple(_range(contract.columns[name]) for name in names),
    )


def _range(column: Column) -> tuple[float, float]:
    low = -np.inf if column.minimum is None else float(column.minimum)
    return low, np.inf if column.maximum is None else float(column.maximum)


def _step(values: Values) -> float:
    """Find the largest step, a fraction of ten at most, that all are multiples of."""
    known = np.unique(values[~np.isnan(values)])
    for decimals in range(_FINEST_DECIMALS + 1):
        scaled = known * 10.0**decimals
        if np.abs(scaled).max(initial=0) >= 2**53:
            break
        whole = np.round(scaled)
        if np.allclose(scaled, whole, rtol=0, atol=1e-6):
            step = int(np.gcd.reduce(whole.astype(np.int64), initial=0))
            return float(max(step, 1) / 10**decimals)
    return 10.0**-_FINEST_DECIMALS


def _numbers(table: pa.Table, name: str) -> Values:
    column = table[name].cast(pa.float64()).combine_chunks()
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(name)
    field = table.schema.field(place)
    return table.set_column(place, field, values.cast(field.type))


def _ids(first: int, rows: int) -> pa.Array:
    """Number rows in digits of one length, without a text of Python's for each."""
    places = np.arange(first, first + rows, dtype=np.int64)
    powers = 10 ** np.arange(_ID_DIGITS - 1, -1, -1, dtype=np.int64)
    digits = (places[:, None] // powers % 10 + ord("0")).astype(np.uint8)
    offsets = np.arange(0, (rows + 1) * _ID_DIGITS, _ID_DIGITS, dtype=np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(digits.tobytes())]
    return pa.Array.from_buffers(pa.large_string(), rows, buffers)
