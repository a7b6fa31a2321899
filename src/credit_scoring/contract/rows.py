"""Rows under the contract: the accepted ones typed, the rejected ones explained."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.contract.cells import (
    Fault,
    id_faults,
    number_faults,
    put_aside_by,
)
from credit_scoring.contract.model import Contract, Role
from credit_scoring.contract.parsing import parse_column
from credit_scoring.contract.reading import SOURCE_ROW
from credit_scoring.contract.rules import standardise
from credit_scoring.errors import ContractError

Bools = NDArray[np.bool_]

REJECTED_COLUMNS = (SOURCE_ROW, "loan_id", "column", "value", "reason")
REPETITION = "repeats an earlier row in every cell; the earlier row is kept"
CONFLICT = "stands in several rows that differ; none of them is kept"
_SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True)
class CheckedRows:
    """What became of the rows of a file.

    Attributes:
        accepted: Rows that keep the contract, in file order: ``loan_id`` as
            string, numbers as float64 (NaN is missing), the target as int8.
            The column of role date is datetime64[s]; other dates are float64
            days since 1970-01-01. Recodes are done, sentinels are NaN.
        rejected: One line for each broken cell: source_row, loan_id, column,
            value, reason; values are as written in the file.
        set_aside: One line, of the same form, for each row that keeps the
            contract and that the contract sets aside, such as a loan that runs.
        recoded: Column -> code as written -> number of accepted rows in which
            it was read as another code, by the contract's recode.
    """

    accepted: pd.DataFrame
    rejected: pd.DataFrame
    set_aside: pd.DataFrame
    recoded: dict[str, dict[str, int]]


def check_rows(frame: pd.DataFrame, contract: Contract) -> CheckedRows:
    """Check every cell against the contract and give the accepted rows typed.

    A row with any broken cell is rejected; each of its broken cells is listed
    once, with the first rule it breaks. Rows that share a ``loan_id`` are
    compared as written: where all cells are equal the first row is kept and
    the others are rejected; where any cell differs all of them are rejected,
    as nobody can tell which one is right. Rows whose other cells are broken take
    part in this comparison, rows whose id is missing or malformed do not. Of the
    rows without a broken cell, those that the contract sets aside are left out.

    Args:
        frame: One row an application: ``source_row`` and the contract's columns,
            the latter as strings, missing where the cell is empty.
        contract: What the cells must be.

    Raises:
        ContractError: If the frame lacks a column.
    """
    absent = [n for n in (SOURCE_ROW, *contract.columns) if n not in frame.columns]
    if absent:
        raise ContractError(f"columns missing from the rows: {', '.join(absent)}")
    faults: list[Fault] = []
    put_aside: list[Fault] = []
    numbers: dict[str, NDArray[np.float64]] = {}
    for name, column in contract.columns.items():
        if column.role is Role.ID:
            faults += _found(id_faults(frame[name], name, column))
        else:
            parsed = parse_column(frame[name], column)
            faults += _found(number_faults(parsed, name, column))
            put_aside += _found(put_aside_by(parsed, name, column))
            numbers[name] = parsed.values
    faults += _found(_duplicate_faults(frame, contract, faults))
    kept = np.ones(len(frame), dtype=bool)
    for fault in faults:
        kept &= ~fault.broken
    aside: list[Fault] = []
    for item in put_aside:
        aside += _found(iter([replace(item, broken=item.broken & kept)]))
        kept &= ~item.broken
    accepted = {
        name: numbers[name][kept] if name in numbers else frame[name][kept].array
        for name in contract.columns
    }
    return CheckedRows(
        accepted=_typed(accepted, contract),
        rejected=_listed(frame, faults, contract),
        set_aside=_listed(frame, aside, contract),
        recoded=_recoded(accepted, contract),
    )


def _found(faults: Iterator[Fault]) -> Iterator[Fault]:
    """Keep the faults that some row has."""
    return (fault for fault in faults if fault.broken.any())


def _duplicate_faults(
    frame: pd.DataFrame, contract: Contract, faults: list[Fault]
) -> Iterator[Fault]:
    name = contract.id_name
    cells = frame[name]
    shared = np.array(cells.duplicated(keep=False) & cells.notna(), dtype=bool)
    for fault in faults:
        if fault.column == name:
            shared &= ~fault.broken
    if not shared.any():
        return
    rows = frame.loc[shared, list(contract.columns)]
    repeated = rows.duplicated(keep="first")
    distinct = rows.loc[~repeated.to_numpy(), name]
    conflicting = rows[name].isin(distinct[distinct.duplicated()])
    for reason, chosen in (
        (CONFLICT, conflicting),
        (REPETITION, repeated & ~conflicting),
    ):
        broken = np.zeros(len(frame), dtype=bool)
        broken[shared] = chosen.to_numpy()
        yield Fault(name, reason, broken)


def _typed(accepted: dict[str, object], contract: Contract) -> pd.DataFrame:
    columns: dict[str, object] = {}
    for name, column in contract.columns.items():
        values = accepted[name]
        if not isinstance(values, np.ndarray):
            columns[name] = values
            continue
        read = standardise(values, column)
        if column.role is Role.TARGET:
            columns[name] = read.astype(np.int8)
        elif column.role is Role.DATE:
            columns[name] = _moments(read)
        else:
            columns[name] = read
    return pd.DataFrame(columns)


def _moments(days: NDArray[np.float64]) -> NDArray[np.datetime64]:
    absent = np.isnan(days)
    seconds = np.where(absent, 0.0, days) * _SECONDS_OF_A_DAY
    moments = seconds.astype(np.int64).astype("datetime64[s]")
    moments[absent] = np.datetime64("NaT", "s")
    return moments


def _listed(
    frame: pd.DataFrame, faults: list[Fault], contract: Contract
) -> pd.DataFrame:
    order = {name: index for index, name in enumerate(contract.columns)}
    rows = [
        pd.DataFrame(
            {
                SOURCE_ROW: pd.array([], dtype="int64"),
                **{n: pd.array([], dtype="str") for n in REJECTED_COLUMNS[1:]},
                "_order": pd.array([], dtype="int64"),
            }
        )
    ]
    for fault in faults:
        at = np.flatnonzero(fault.broken)
        cells = frame.iloc[at]
        part = pd.DataFrame(
            {
                SOURCE_ROW: cells[SOURCE_ROW].to_numpy(),
                "loan_id": cells[contract.id_name].array,
                "column": pd.array([fault.column] * at.size, dtype="str"),
                "value": cells[fault.column].array,
                "reason": pd.array([fault.reason] * at.size, dtype="str"),
                "_order": order[fault.column],
            }
        )
        rows.append(part)
    listed = pd.concat(rows, ignore_index=True)
    listed = listed.sort_values([SOURCE_ROW, "_order"], kind="stable")
    return listed[list(REJECTED_COLUMNS)].reset_index(drop=True)


def _recoded(
    accepted: dict[str, object], contract: Contract
) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for name, column in contract.columns.items():
        values = accepted[name]
        if column.recode and isinstance(values, np.ndarray):
            counts[name] = {
                str(code): int(np.count_nonzero(values == code))
                for code in column.recode
            }
    return counts
