"""What it would take to be approved: the least changes, tried on the engine itself.

Only the columns that the contract names are moved, and only in the direction that it
names. Every change that is reported was decided on by the engine that decides on
applications; nothing is assumed about how the score moves with a column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.model import Column, Contract, Move
from credit_scoring.contract.rules import exempt_values
from credit_scoring.decision.decisions import Outcome
from credit_scoring.decision.engine import DecisionEngine

Values = NDArray[np.float64]

# A distance has two significant digits: 10, 11 ... 99 times a power of ten.
_DIGITS = np.arange(10.0, 100.0)
_DECADES = 4
# So that 0.7 less 0.3 is 0.4.
_DECIMALS = 10
# What is nearer than any value that is tried is as far as it can be.
_NEAREST = 10.0**-_DECIMALS


class ColumnChange(msgspec.Struct, frozen=True, gc=False):
    """One column moved.

    Attributes:
        column: Name in the contract.
        before: Its value now.
        after: Its value after the change.
        advice: What the applicant would do, as the contract says it.
    """

    column: str
    before: float
    after: float
    advice: str


class Changed(msgspec.Struct, frozen=True, gc=False):
    """Columns moved together, and what is then decided.

    Attributes:
        changes: One or more.
        decision: ``approve``, ``refer`` or ``decline``.
        score: Points, rounded to a tenth.
        pd: Probability of default in (0, 1).
    """

    changes: tuple[ColumnChange, ...]
    decision: str
    score: float
    pd: float


class Ways(NamedTuple):
    """What was found.

    Attributes:
        single: For each column that suffices alone, its least change.
        combination: The least changes of several columns together; None if one
            column suffices, or all together do not.
        best: Where nothing leads to an approval, what helps most; None if nothing
            helps at all.
    """

    single: tuple[Changed, ...] = ()
    combination: Changed | None = None
    best: Changed | None = None


@dataclass(frozen=True)
class _Lever:
    """A column that can be moved, with where it can be moved to.

    Attributes:
        name: In the contract.
        place: In a row.
        advice: What the applicant would do.
        candidates: Values from the nearest to the farthest.
    """

    name: str
    place: int
    advice: str
    candidates: Values


def ways_to_approval(engine: DecisionEngine, contract: Contract, row: Values) -> Ways:
    """Search the least changes that lead to an approval.

    Args:
        engine: Decides.
        contract: Says which columns can be moved, and where to.
        row: Columns of one application, shape (n_columns,), in the engine's order;
            NaN is missing. A missing value is not moved.

    Returns:
        What was found; nothing at all for one that is approved as it is.
    """
    levers = _levers(contract, engine.columns, row)
    if not levers or _decided(engine, row[np.newaxis]).approved[0]:
        return Ways()
    single = [_alone(engine, row, lever) for lever in levers]
    found = tuple(one for one in single if one is not None)
    if found:
        return Ways(single=found)
    moved = _greedily(engine, row, levers)
    if not moved:
        return Ways()
    if _decided(engine, _with(row, moved)[np.newaxis]).approved[0]:
        less = _shrunk(engine, row, levers, moved)
        return Ways(combination=_changed(engine, row, levers, less))
    return Ways(best=_changed(engine, row, levers, moved))


class _Tried(NamedTuple):
    approved: NDArray[np.bool_]
    outcome: NDArray[np.int64]
    score: Values
    pd_: Values


def _decided(engine: DecisionEngine, rows: Values) -> _Tried:
    decisions = engine.decide_rows(np.ascontiguousarray(rows), explain=False)
    approved = decisions.outcome == Outcome.APPROVE
    return _Tried(approved, decisions.outcome, decisions.score, decisions.pd_)


def _levers(
    contract: Contract, columns: Sequence[str], row: Values
) -> tuple[_Lever, ...]:
    now = dict(zip(columns, row.tolist(), strict=True))
    levers = [
        _Lever(
            name,
            columns.index(name),
            move.advice,
            _candidates(contract.columns[name], move, now[name], now),
        )
        for name, move in contract.recourse.columns.items()
    ]
    return tuple(lever for lever in levers if lever.candidates.size)


def _candidates(
    column: Column, move: Move, value: float, now: Mapping[str, float]
) -> Values:
    """Give the values to try, from the nearest to the farthest."""
    sign = 1.0 if move.direction == "up" else -1.0
    limit = _limit(column, move, value, now)
    reach = (limit - value) * sign
    if not reach > _NEAREST:  # missing, or as far as it can be
        return np.empty(0)
    if column.categories is not None:
        codes = np.array(sorted(column.categories, key=lambda c: c * sign), np.float64)
        steps = (codes - value) * sign
        return codes[(steps > 0.0) & (steps <= reach)]
    distances = _ladder(reach)
    if column.type == "integer":
        distances = np.unique(np.ceil(distances))
    tried = np.round(value + sign * distances[distances <= reach], _DECIMALS)
    unmeant = np.array(exempt_values(column), np.float64)
    return tried[~np.isin(tried, unmeant)]


def _limit(column: Column, move: Move, value: float, now: Mapping[str, float]) -> float:
    """Give the farthest value: the move's, within the column's range."""
    low, high = column.minimum, column.maximum
    if column.categories is not None:
        low, high = min(column.categories), max(column.categories)
    own = high if move.direction == "up" else low
    far = now[move.to] if isinstance(move.to, str) else move.to
    if far is None:
        far = own
    if far is None:
        return value
    return float(np.clip(far, low, high))


def _ladder(reach: float) -> Values:
    """Give rising distances of two significant digits each, and the reach itself."""
    highest = int(np.floor(np.log10(reach))) - 1
    steps = np.concatenate(
        [
            _DIGITS * 10.0**power if power >= 0 else _DIGITS / 10.0**-power
            for power in range(highest - _DECADES + 1, highest + 1)
        ]
    )
    return np.append(steps[steps < reach], reach)


def _alone(engine: DecisionEngine, row: Values, lever: _Lever) -> Changed | None:
    """Give the least change of one column that is approved."""
    approved = _decided(engine, _moved(row, lever)).approved
    if not approved.any():
        return None
    least = lever.candidates.item(int(approved.argmax()))
    return _changed(engine, row, (lever,), {lever.place: least})


def _greedily(
    engine: DecisionEngine, row: Values, levers: Sequence[_Lever]
) -> dict[int, float]:
    """Move one column after another as far as it raises the score most."""
    moved: dict[int, float] = {}
    left = list(levers)
    while left:
        base = _with(row, moved)
        score = _decided(engine, base[np.newaxis]).score.item(0)
        tried = [_decided(engine, _moved(base, lever)).score for lever in left]
        best = int(np.argmax([scores.max() for scores in tried]))
        if tried[best].max() <= score:
            break
        lever = left.pop(best)
        moved[lever.place] = lever.candidates.item(int(tried[best].argmax()))
    return moved


def _shrunk(
    engine: DecisionEngine,
    row: Values,
    levers: Sequence[_Lever],
    moved: Mapping[int, float],
) -> dict[int, float]:
    """Take back of each move what an approval does not need, the last one first."""
    less = dict(moved)
    by_place = {lever.place: lever for lever in levers}
    for place in reversed(list(moved)):
        lever = by_place[place]
        del less[place]
        rest = _with(row, less)
        tried = np.concatenate((rest[np.newaxis], _moved(rest, lever)))
        # One of them is approved: the move that is being taken back.
        least = int(_decided(engine, tried).approved.argmax())
        # Nothing if the row is approved without this move.
        needed = lever.candidates[max(least - 1, 0) : least].tolist()
        less.update([(place, value) for value in needed])
    return less


def _changed(
    engine: DecisionEngine,
    row: Values,
    levers: Sequence[_Lever],
    moved: Mapping[int, float],
) -> Changed:
    by_place = {lever.place: lever for lever in levers}
    decided = _decided(engine, _with(row, moved)[np.newaxis])
    return Changed(
        changes=tuple(
            ColumnChange(
                by_place[place].name,
                row.item(place),
                value,
                by_place[place].advice,
            )
            for place, value in moved.items()
        ),
        decision=Outcome(decided.outcome.item(0)).label,
        score=decided.score.item(0),
        pd=decided.pd_.item(0),
    )


def _moved(row: Values, lever: _Lever) -> Values:
    """Give the row once for each candidate of a column."""
    rows = np.repeat(row[np.newaxis], lever.candidates.size, axis=0)
    rows[:, lever.place] = lever.candidates
    return rows


def _with(row: Values, moved: Mapping[int, float]) -> Values:
    changed = row.copy()
    for place, value in moved.items():
        changed[place] = value
    return changed
