"""From scores to outcomes: bands, cut-offs, rules, and who gives the reasons."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.decisions import MOST_REASONS, Outcome
from credit_scoring.decision.policy import Policy
from credit_scoring.decision.uncertainty import HIGH, LOW, MISSING
from credit_scoring.scorecard.scaling import ScoreScaling

Values = NDArray[np.float64]
Codes = NDArray[np.int64]

_FEATURE = 1
_AT_LEAST, _AT_MOST = 0, 1
_OUTSIDE_TRAINING = 3
_APPROVE, _REFER, _DECLINE = (int(outcome) for outcome in Outcome)


@dataclass(frozen=True)
class Grading:
    """How a margin becomes a decision.

    Attributes:
        calibration: Margin to calibrated log-odds.
        scaling: Log-odds to points.
        policy: Points to decision.
    """

    calibration: Calibration
    scaling: ScoreScaling
    policy: Policy

    @cached_property
    def line(self) -> Values:
        """Slope and intercept of the calibration, offset and factor of the scale."""
        calibration, scaling = self.calibration, self.scaling
        return np.array(
            [calibration.slope, calibration.intercept, scaling.offset, scaling.factor]
        )

    @cached_property
    def limits(self) -> Values:
        """Lower ends of all bands but the last, from high to low."""
        ends = [band.from_ for band in self.policy.bands if band.from_ is not None]
        return np.array(ends, np.float64)

    @cached_property
    def cut_offs(self) -> Values:
        """The approve cut-off and the decline cut-off."""
        return np.array([self.policy.approve_from, self.policy.decline_below])


class RuleTable(NamedTuple):
    """The policy's rules as arrays, one entry a rule.

    Attributes:
        sources: 0 if a rule looks at a column, 1 if at a feature.
        places: Which column or feature.
        tests: 0 at least, 1 at most, 2 equals, 3 so many features outside the
            training range.
        levels: What the value is compared with.
        outcomes: Values of `Outcome`.
        ranges: Lowest and highest value in training, and whether a missing value
            is known, shape (3, n_features); any value if no rule asks.
    """

    sources: Codes
    places: Codes
    tests: Codes
    levels: Values
    outcomes: Codes
    ranges: Values


def tabulate_rules(
    policy: Policy,
    *,
    columns: tuple[str, ...],
    features: tuple[str, ...],
    ranges: Values | None = None,
) -> RuleTable:
    """Lay the rules out for `grade_rows`.

    Args:
        policy: Its rules name known columns and features.
        columns: In the order of the rows.
        features: In the order of the feature matrix.
        ranges: See `RuleTable`.
    """
    conditions = [rule.when for rule in policy.rules]
    by_feature = [condition.feature is not None for condition in conditions]
    places = [
        0
        if condition.subject is None
        else (features if is_feature else columns).index(condition.subject)
        for condition, is_feature in zip(conditions, by_feature, strict=True)
    ]
    bounds = [(c.at_least, c.at_most, c.equals, c.outside_training) for c in conditions]
    tests = [
        next(kind for kind, bound in enumerate(given) if bound is not None)
        for given in bounds
    ]
    levels = [given[kind] for given, kind in zip(bounds, tests, strict=True)]
    outcomes = [Outcome.from_label(rule.outcome) for rule in policy.rules]
    return RuleTable(
        sources=np.array(by_feature, np.int64),
        places=np.array(places, np.int64),
        tests=np.array(tests, np.int64),
        levels=np.array(levels, np.float64),
        outcomes=np.array(outcomes, np.int64),
        ranges=_no_ranges(len(features)) if ranges is None else ranges,
    )


def _no_ranges(n_features: int) -> Values:
    return np.repeat([[-np.inf], [np.inf], [1.0]], n_features, axis=1)


@compiled
def _count_outside(features: Values, row: int, ranges: Values) -> int:
    """Count one row's features that lie outside the training range."""
    found = 0
    # Without branches, so that the compiler does several features at once.
    for place in range(features.shape[1]):
        value = features[row, place]
        unknown = np.isnan(value) & (ranges[MISSING, place] < 1.0)
        found += (value < ranges[LOW, place]) | (value > ranges[HIGH, place]) | unknown
    return found


@compiled
def _passes(test: int, value: float, level: float) -> bool:
    """Test one value; a missing one passes none."""
    if test == _AT_LEAST:
        return value >= level
    if test == _AT_MOST:
        return value <= level
    return value == level


@compiled
def _outcome_by_score(score: float, cut_offs: Values) -> int:
    """Decide on one score, without any rule."""
    if score < cut_offs[1]:
        return _DECLINE
    if score >= cut_offs[0]:
        return _APPROVE
    return _REFER


@compiled
def grade_rows(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    score: Values,
    limits: Values,
    cut_offs: Values,
    columns: Values,
    features: Values,
    sources: Codes,
    places: Codes,
    tests: Codes,
    levels: Values,
    outcomes: Codes,
    ranges: Values,
    explain: bool,
    band: Codes,
    outcome: Codes,
    speakers: Codes,
) -> None:
    """Grade rows by score and by the rules; of several outcomes the worst holds.

    A missing value fires no rule. The model speaks where its score alone leads to
    the outcome, or where it is asked to; where a rule declines, the rules alone do.

    Args:
        score: Reported scores, shape (n,).
        limits: See `Grading.limits`.
        cut_offs: See `Grading.cut_offs`.
        columns: Contract columns, shape (n, n_columns).
        features: Feature matrix, shape (n, n_features).
        sources: This and the next five: see `RuleTable`.
        places: See there.
        tests: See there.
        levels: See there.
        outcomes: See there.
        ranges: See there.
        explain: The model is asked to speak for approvals, too.
        band: Bands are written here, shape (n,).
        outcome: Values of `Outcome` are written here, shape (n,).
        speakers: Who gives the reasons is written here, shape
            (n, `MOST_REASONS` + 1): the first rules that led to the outcome, -1
            where there is none; in the last place 1 if the model speaks, else 0.
    """
    for row in range(score.shape[0]):
        place = 0
        while place < limits.shape[0] and score[row] < limits[place]:
            place += 1
        band[row] = place
        by_score = _outcome_by_score(score[row], cut_offs)
        speakers[row, :] = -1
        worst = by_score
        said = 0
        for rule in range(tests.shape[0]):
            if outcomes[rule] < worst:
                continue
            if tests[rule] == _OUTSIDE_TRAINING:
                fires = _count_outside(features, row, ranges) >= levels[rule]
            else:
                source = features if sources[rule] == _FEATURE else columns
                fires = _passes(tests[rule], source[row, places[rule]], levels[rule])
            if not fires:
                continue
            if outcomes[rule] > worst:
                # What spoke for less is silent.
                speakers[row, :] = -1
                worst, said = outcomes[rule], 0
            if said < MOST_REASONS:
                speakers[row, said] = rule
                said += 1
        outcome[row] = worst
        asked = explain or (by_score == worst and worst > _APPROVE)
        ruled_out = worst == _DECLINE and said > 0
        speakers[row, MOST_REASONS] = asked and not ruled_out
