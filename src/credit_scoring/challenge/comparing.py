"""Comparing champion and challenger: every measure, its interval, and the power."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.challenge.selection import APPROVE, Selected
from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.differences import (
    Gain,
    Group,
    paired_gains,
    paired_profit,
    unpaired_gains,
    unpaired_profit,
)
from credit_scoring.evaluation.profit import CostTable, worths
from credit_scoring.evaluation.sequences import ConfidenceSequence, plan_sequence
from credit_scoring.outcomes.joining import DECLINED, IMMATURE

Values = NDArray[np.float64]
_SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True)
class Compared:
    """One measure at one look.

    Attributes:
        gain: By how much the challenger is better.
        low: Lower end of the interval that holds at all looks together.
        high: Upper end of it.
        matters: Smallest difference that matters.
        rows: Applicants that it rests on.
        power: Chance that a look with as many shows that difference.
        rows_needed: Applicants with which the chance is as wanted; None if the
            error is 0, and nothing can be said.
        days_needed: Until there are so many more, at the rate so far; 0 if there
            are enough, None if there is no rate.
    """

    gain: Gain
    low: float
    high: float
    matters: float
    rows: int
    power: float
    rows_needed: int | None
    days_needed: float | None

    def as_json(self) -> dict[str, Any]:
        """The measure as a JSON value."""
        return {
            **{k: v for k, v in vars(self.gain).items() if k != "measure"},
            **{k: v for k, v in vars(self).items() if k != "gain"},
        }


@dataclass(frozen=True)
class Comparison:
    """All measures at one look.

    Attributes:
        measures: Measure -> what was found.
        champion: PDs and outcomes of the champion's side.
        challenger: Those of the challenger's side.
        faults: Measure -> why it could not be had.
    """

    measures: dict[str, Compared]
    champion: Group | None
    challenger: Group | None
    faults: dict[str, str]


def compare(
    selected: Selected, parameters: ChallengeParameters, costs: CostTable
) -> Comparison:
    """Compare the two models on all outcomes that are known by now.

    Args:
        selected: The pair's decisions.
        parameters: Design, level, what matters.
        costs: What a good earns and a bad costs.

    Returns:
        A measure that cannot be had is among the faults, with the reason.
    """
    of = _paired if parameters.design == "shadow" else _by_arm
    champion, challenger, found, faults = of(selected, parameters, costs)
    measures = {
        gain.measure: _at_this_look(gain, rows, selected.table, parameters)
        for gain, rows in found
    }
    return Comparison(measures, champion, challenger, faults)


_Found = tuple[
    Group | None, Group | None, list[tuple[Gain, pd.DataFrame]], dict[str, str]
]


def _paired(
    selected: Selected, parameters: ChallengeParameters, costs: CostTable
) -> _Found:
    book = selected.where(selected.known & selected.followed)
    taken = (book["challenger_decision"] == APPROVE).to_numpy(bool)
    approved = (book["decision"] == APPROVE).to_numpy(bool)
    # Where the champion alone has cut the range, its figures alone suffer.
    among = book.loc[taken & approved] if parameters.among == "both" else book
    found: list[tuple[Gain, pd.DataFrame]] = []
    faults: dict[str, str] = {}
    champion = challenger = None
    try:
        champion = _group(among, "pd")
        challenger = _group(among, "challenger_pd")
        found += [(gain, among) for gain in paired_gains(challenger, champion)]
    except EvaluationError as error:
        faults |= dict.fromkeys(("auc", "brier", "log_loss"), str(error))
    try:
        worth = worths(_outcomes(book), _exposure(book), costs)
        gain = paired_profit(worth * taken, worth * approved, _exposure(book))
        found.append((gain, book))
    except EvaluationError as error:
        faults["profit"] = str(error)
    return champion, challenger, found, faults


def _by_arm(
    selected: Selected, parameters: ChallengeParameters, costs: CostTable
) -> _Found:
    del parameters  # the arms are what they are
    arm = (selected.table["arm"] == "challenger").to_numpy(bool)
    found: list[tuple[Gain, pd.DataFrame]] = []
    faults: dict[str, str] = {}
    champion = challenger = None
    known = selected.known & selected.followed
    try:
        champion = _group(selected.where(known & ~arm), "pd")
        challenger = _group(selected.where(known & arm), "pd")
        gains = unpaired_gains(challenger, champion)
        found += [(gain, selected.where(known)) for gain in gains]
    except EvaluationError as error:
        faults |= dict.fromkeys(("auc", "brier", "log_loss"), str(error))
    # As they were drawn: who the champion decided in the other's place stays there.
    settled = selected.known | (selected.table["status"] == DECLINED).to_numpy(bool)
    try:
        earned = [_earned(selected.where(settled & a), costs) for a in (arm, ~arm)]
        found.append((unpaired_profit(*earned), selected.where(settled)))
    except EvaluationError as error:
        faults["profit"] = str(error)
    return champion, challenger, found, faults


def _earned(rows: pd.DataFrame, costs: CostTable) -> tuple[Values, Values]:
    """What each applicant earned, 0 if declined, and what was at stake."""
    known = rows["bad"].notna().to_numpy(bool)
    bad = rows["bad"].fillna(0).to_numpy(np.float64)
    exposure = _exposure(rows)
    return worths(bad, exposure, costs) * known, exposure


def _group(rows: pd.DataFrame, column: str) -> Group:
    return Group(rows[column].to_numpy(np.float64), _outcomes(rows))


def _outcomes(rows: pd.DataFrame) -> Values:
    found: Values = rows["bad"].to_numpy(np.float64)
    return found


def _exposure(rows: pd.DataFrame) -> Values:
    found: Values = rows["exposure"].to_numpy(np.float64)
    return found


def planned(measure: str, parameters: ChallengeParameters) -> ConfidenceSequence:
    """Give the sequence of a measure; the parameters alone fix it."""
    return plan_sequence(
        level=parameters.level,
        difference=getattr(parameters.smallest_difference, measure),
        power=parameters.power,
    )


def _at_this_look(
    gain: Gain, rows: pd.DataFrame, table: pd.DataFrame, parameters: ChallengeParameters
) -> Compared:
    sequence = planned(gain.measure, parameters)
    matters = getattr(parameters.smallest_difference, gain.measure)
    low, high = sequence.interval(gain.gain, gain.error)
    size = len(rows)
    if gain.error == 0:
        return Compared(gain, low, high, matters, size, 1.0, None, None)
    information = 1 / gain.error**2
    needed = sequence.information_needed(matters, parameters.power)
    rows_needed = int(np.ceil(needed * size / information))
    days = _days(table)
    rate = size / days if days else 0.0
    more = max(0, rows_needed - size)
    return Compared(
        gain=gain,
        low=low,
        high=high,
        matters=matters,
        rows=size,
        power=sequence.power(matters, information),
        rows_needed=rows_needed,
        days_needed=0.0 if not more else more / rate if rate else None,
    )


def _days(table: pd.DataFrame) -> float:
    """Days over which the decisions that are mature were made."""
    mature = table.loc[table["status"] != IMMATURE, "scored_at"]
    if mature.empty:
        return 0.0
    return float((mature.max() - mature.min()).total_seconds()) / _SECONDS_OF_A_DAY
