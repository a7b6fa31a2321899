"""What is wrong with cells: one definition for whole files and for their parts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from credit_scoring.contract.model import Column, Role
from credit_scoring.contract.parsing import ParsedColumn, text_array
from credit_scoring.contract.patterns import all_match
from credit_scoring.contract.rules import MISSING, Rule, rules_of

Bools = NDArray[np.bool_]

NOT_A_TARGET = "is not one of 0, 1"


@dataclass(frozen=True)
class Fault:
    """The cells of one column that break one rule.

    Attributes:
        column: Contract name.
        reason: What is wrong, and what was expected.
        broken: Whether a row's cell is meant, shape (n,).
    """

    column: str
    reason: str
    broken: Bools


def id_faults(cells: pa.Array, name: str, column: Column) -> Iterator[Fault]:
    """Judge the cells of the column that identifies a loan.

    Args:
        cells: Strings, as `text_array` takes them.
        name: Contract name.
        column: What the cells must be.

    Yields:
        Each rule with the cells that break it, maybe none.
    """
    text = text_array(cells)
    if not column.nullable:
        yield Fault(name, MISSING, _bools(pc.is_null(text)))
    if column.pattern is not None:
        if all_match(text, column.pattern):
            return
        whole = pc.match_substring_regex(text, rf"\A(?:{column.pattern})\z")
        reason = f"does not match the pattern {column.pattern}"
        yield Fault(name, reason, ~_bools(pc.fill_null(whole, fill_value=True)))


def number_faults(parsed: ParsedColumn, name: str, column: Column) -> Iterator[Fault]:
    """Judge the cells of any other column; of a cell, the first rule it breaks.

    Args:
        parsed: The cells as numbers.
        name: Contract name.
        column: What the cells must be.

    Yields:
        Each rule with the cells that break it, maybe none.
    """
    if not column.nullable:
        yield Fault(name, MISSING, parsed.absent)
    yield Fault(name, parsed.unreadable_reason, parsed.unreadable)
    unjudged = ~(parsed.absent | parsed.unreadable)
    for aside in parsed.set_aside.values():
        unjudged &= ~aside
    # Zero stands in where there is no number, so that rules see no NaN.
    values = np.where(unjudged, parsed.values, 0.0)
    rules = rules_of(column)
    if column.role is Role.TARGET:
        rules = (*rules, Rule(NOT_A_TARGET, lambda value: ~np.isin(value, (0.0, 1.0))))
    for rule in rules:
        broken = rule.broken(values) & unjudged
        unjudged &= ~broken
        yield Fault(name, rule.reason, broken)


def put_aside_by(parsed: ParsedColumn, name: str, column: Column) -> Iterator[Fault]:
    """Name the cells whose text the contract sets aside, and why."""
    for text, cells in parsed.set_aside.items():
        yield Fault(name, column.set_aside[text], cells)


def _bools(array: pa.Array) -> Bools:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)
