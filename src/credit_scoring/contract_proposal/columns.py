"""What a column of an unknown file seems to be."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.contract.dates import DateFormat
from credit_scoring.contract.model import Column, Role
from credit_scoring.contract.parsing import parse_column

Values = NDArray[np.float64]

# Texts that mean missing wherever they stand among numbers, dates or categories.
MISSING_TEXTS: tuple[str, ...] = ("NA", "N/A", "n/a", "na", "#N/A", "NULL", "null")
MISSING_TEXTS += ("NaN", "nan", "?", "-", "--", ".")
MOST_CATEGORIES = 30
_NOTATIONS = (None, "percent", "grouped", "decimal_comma")
# So many of a column's texts must be numbers, or dates, for it to hold such.
_ENOUGH = 0.98
_NUMBER_WITH_UNIT = re.compile(r"([<>]?)\s*(\d+)\s*\+?\s*[A-Za-z ]+")
_NINES = re.compile(r"-?9{2,}")
# A sentinel lies apart: so many times beyond the next value.
_APART = 1.5
_RATHER_FREQUENT = 0.0005
_FEWEST_LEVELS = 2
# A smaller share of missing cells makes their rows wrong, not the column nullable.
_NULLABLE = 0.005


@dataclass
class Proposal:
    """What a column seems to be.

    Attributes:
        said: What its entry in the contract says, but for source, role and
            description; empty for a column that is left out.
        left_out: Why it is left out; empty for one that is not.
        remarks: What was seen, for the comments.
        questions: What a person must decide.
        values: Its numbers, shape (n,), NaN where missing; None without any.
    """

    said: dict[str, Any] = field(default_factory=dict)
    left_out: str = ""
    remarks: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    values: Values | None = None


def propose_column(cells: pd.Series) -> Proposal:
    """Say what the cells of a column seem to be.

    Args:
        cells: Strings, missing where empty, shape (n,).
    """
    text = cells.str.strip()
    text = text.where(text != "")
    named_missing = [m for m in MISSING_TEXTS if (text == m).any()]
    known = text[~text.isin(named_missing)].dropna()
    distinct = Counter(known.tolist())
    if len(distinct) <= 1:
        return Proposal(left_out="Has one value." if distinct else "Is empty.")
    found = _numbers(text, known, named_missing) or _dates(known) or _texts(distinct)
    if not found.said:
        return found
    missing = len(cells) - len(known)
    if missing >= _NULLABLE * len(cells) or named_missing:
        found.said["nullable"] = True
        found.remarks.append(f"{missing / len(cells):.1%} missing")
    elif missing:
        found.remarks.append(f"{missing} rows without it are rejected")
    if named_missing:
        found.said["missing_values"] = named_missing
    return found


def _numbers(
    text: pd.Series, known: pd.Series, named_missing: Sequence[str]
) -> Proposal | None:
    for notation in _NOTATIONS:
        column = _number_column(notation)
        readable = ~parse_column(known, column).unreadable
        if readable.mean() >= _ENOUGH:
            break
    else:
        return _numbers_with_unit(text, known)
    values = parse_column(text.where(~text.isin(named_missing)), column).values
    found = Proposal(values=values)
    present = values[~np.isnan(values)]
    whole = bool((present == np.trunc(present)).all()) and notation != "percent"
    found.said["type"] = "integer" if whole else "number"
    if notation is not None:
        found.said["format"] = notation
    odd = known[~readable].unique().tolist()
    if odd:
        found.questions.append(
            f"{(~readable).sum()} of {len(known)} cells are no numbers "
            f"({len(odd)} different texts): their rows are rejected unless "
            "missing_values or file_values name the texts"
        )
    _sentinels(present, found)
    _range(present, found)
    return found


def _number_column(notation: Any) -> Column:
    return Column(
        source="x",
        type="number",
        role=Role.APPLICATION,
        description="x",
        format=notation,
        nullable=True,
    )


def _sentinels(present: Values, found: Proposal) -> None:
    """Find nines, or a negative number among others, that stand for missing."""
    levels, counts = np.unique(present, return_counts=True)
    least = max(5.0, _RATHER_FREQUENT * len(present))
    sentinels = []
    if (
        len(levels) > _FEWEST_LEVELS
        and counts[0] >= least
        and levels[0] < 0 <= levels[1]
    ):
        sentinels.append(float(levels[0]))
    top = float(levels[-1])
    nines = top.is_integer() and _NINES.fullmatch(str(int(top)))
    if (
        len(levels) > _FEWEST_LEVELS
        and nines
        and counts[-1] >= least
        and top > _APART * levels[-2]
    ):
        sentinels.append(top)
    if sentinels:
        found.said |= {"sentinels": [_plain(s) for s in sentinels], "nullable": True}
        shown = ", ".join(str(_plain(s)) for s in sentinels)
        found.questions.append(
            f"{shown} looks like a code for missing; is it one? In requests it would "
            "be read as missing, too"
        )


def _range(present: Values, found: Proposal) -> None:
    usual = present[~np.isin(present, found.said.get("sentinels", []))]
    low, high = float(usual.min()), float(usual.max())
    found.remarks.append(f"seen {_plain(low):,} to {_plain(high):,}")
    if low >= 0:
        found.said["minimum"] = 0
    # Ten times what was ever seen is a slip of the pen rather than a fact.
    if high > 0:
        found.said["maximum"] = _plain(10.0 ** np.ceil(np.log10(high) + 1))
    found.said["example"] = _plain(float(np.sort(usual)[len(usual) // 2]))


def _numbers_with_unit(text: pd.Series, known: pd.Series) -> Proposal | None:
    """Read such as `36 months`, `< 1 year`, `10+ years` as whole numbers."""
    texts = sorted(known.unique())
    found = [_NUMBER_WITH_UNIT.fullmatch(text) for text in texts]
    if len(texts) > MOST_CATEGORIES or not all(found):
        return None
    stands_for = {}
    for one, match in zip(texts, found, strict=True):
        if match is not None:
            less = 1 if match[1] == "<" else 0
            stands_for[one] = int(match[2]) - less
    numbers = sorted(set(stands_for.values()))
    values = text.map(stands_for).to_numpy(np.float64, na_value=np.nan)
    said = {
        "type": "integer",
        "minimum": numbers[0],
        "maximum": numbers[-1],
        "file_values": stands_for,
        "example": numbers[0],
    }
    return Proposal(said=said, remarks=["texts with a number each"], values=values)


def _dates(known: pd.Series) -> Proposal | None:
    fitting: list[DateFormat] = []
    for one in get_args(DateFormat):
        column = Column(
            source="x",
            type="date",
            role=Role.APPLICATION,
            description="x",
            date_formats=(one,),
        )
        if (~parse_column(known, column).unreadable).mean() >= _ENOUGH:
            fitting.append(one)
    if not fitting:
        return None
    said = {"type": "date", "date_formats": fitting[:1]}
    found = Proposal(said=said, remarks=[f"dates as {fitting[0]}"])
    if len(fitting) > 1:
        found.questions.append(f"dates could be {' or '.join(fitting)}; which is it?")
    return found


def _texts(distinct: Counter[str]) -> Proposal:
    if len(distinct) > MOST_CATEGORIES:
        return Proposal(left_out=f"Text with {len(distinct):,} different values.")
    labels = sorted(distinct)
    common = distinct.most_common(1)[0][0]
    said = {
        "type": "string",
        "categories": dict(enumerate(labels, start=1)),
        "example": common,
    }
    found = Proposal(said=said, remarks=[f"{len(labels)} different texts"])
    folded = Counter(label.casefold() for label in labels)
    if len(folded) < len(labels):
        found.questions.append(
            "some texts differ in case alone: list each spelling under file_values "
            "with the code of one"
        )
    return found


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(value)
