"""What a value of a column must be: one definition for files and for requests.

A rule works on one float and on a float64 array alike, so the pipeline and the
service cannot disagree. After the rules, `standardise` reads undocumented codes
by the contract's recode and turns sentinels into NaN, again for both.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.model import Column

Values = NDArray[np.float64]

MISSING = "is missing"
NOT_A_DATE = "is not a date as YYYY-MM-DD"
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Rule:
    """One thing a value must satisfy.

    Attributes:
        reason: What is wrong when it is broken, and what was expected.
        broken: From a float, or float64 array without NaN, to bool or bools.
    """

    reason: str
    broken: Callable[[Any], Any]


def rules_of(column: Column) -> tuple[Rule, ...]:
    """List the rules of a column's numbers; the first that is broken counts."""
    rules = [Rule("is not a finite number", np.isinf)]
    if column.type == "date":
        return tuple(rules)
    if column.type == "integer" or column.categories is not None:
        rules.append(Rule("is not a whole number", _is_broken_number))
    if column.categories is not None:
        return (*rules, _membership(column))
    unit = f" {column.unit}" if column.unit else ""
    low, high = column.minimum, column.maximum
    exempt = exempt_values(column)
    if low is not None:
        reason = f"is below the minimum of {plain(low)}{unit}"
        rules.append(Rule(reason, _unless(exempt, lambda value: value < low)))
    if high is not None:
        reason = f"is above the maximum of {plain(high)}{unit}"
        rules.append(Rule(reason, _unless(exempt, lambda value: value > high)))
    return tuple(rules)


def exempt_values(column: Column) -> tuple[float, ...]:
    """Values that are accepted outside the range or categories, sorted.

    They are what the contract recodes, and its sentinels.
    """
    return tuple(sorted({*map(float, column.recode), *column.sentinels}))


def allowed_codes(column: Column) -> tuple[float, ...]:
    """Codes that a column with categories accepts as written, sorted."""
    codes = {float(code) for code in column.categories or {}}
    return tuple(sorted(codes | set(exempt_values(column))))


def is_contiguous(codes: tuple[float, ...]) -> bool:
    """Whether the codes are all whole numbers of one range."""
    return codes[0].is_integer() and all(
        b - a == 1 for a, b in itertools.pairwise(codes)
    )


def code_of_label(column: Column) -> dict[str, float]:
    """Map the labels of a string column with categories to their codes."""
    return {label: float(code) for code, label in (column.categories or {}).items()}


def label_reason(column: Column) -> str:
    """Say which labels a string column with categories accepts."""
    return f"is not one of {', '.join(code_of_label(column))}"


def parse_date(text: str) -> date | None:
    """Read a date as YYYY-MM-DD; None if it is none."""
    # fromisoformat also takes 20240131 and 2024-W05-3, which are not meant.
    if len(text) != len("YYYY-MM-DD") or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def days_from_date(day: date) -> float:
    """Count the days since 1970-01-01, the number that stands for a date."""
    return float(day.toordinal() - _EPOCH)


def standardise(values: Values, column: Column) -> Values:
    """Read undocumented codes by the recode, sentinels as NaN, and -0 as 0.

    Args:
        values: Shape (n,), accepted by the column's rules; NaN is missing.
        column: Their column.

    Returns:
        New array of shape (n,).
    """
    read = values + 0.0
    for code, meaning in column.recode.items():
        read[values == code] = meaning
    for sentinel in column.sentinels:
        read[values == sentinel] = np.nan
    return read


def needs_standardising(column: Column) -> bool:
    """Whether the column has a recode or sentinels."""
    return bool(column.recode or column.sentinels)


def plain(number: float) -> str:
    """Write a bound as a person would: 1000, not 1000.0."""
    return str(int(number)) if float(number).is_integer() else repr(number)


def _is_broken_number(value: Any) -> Any:
    return np.trunc(value) != value


def _membership(column: Column) -> Rule:
    allowed = allowed_codes(column)
    reason = f"is not one of {', '.join(plain(code) for code in allowed)}"
    if column.type == "string":
        reason = label_reason(column)
    if is_contiguous(allowed):
        low, high = allowed[0], allowed[-1]
        return Rule(reason, lambda value: (value < low) | (value > high))
    return Rule(reason, lambda value: ~np.isin(value, allowed))


def _unless(
    exempt: tuple[float, ...], broken: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    if not exempt:
        return broken
    return lambda value: broken(value) & ~np.isin(value, exempt)
