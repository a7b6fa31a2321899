"""Decisions on many applications whose reasons are columns, too, not objects."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled
from credit_scoring.decision.decisions import MOST_REASONS, Decisions, Reason
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.reasons import strongest_groups
from credit_scoring.decision.uncertainty import HIGH, LOW, MISSING

Values = NDArray[np.float64]
Codes = NDArray[np.int64]

NOBODY = -1
# Instead of the place of a rule's subject: the first feature outside the range.
_FIRST_OUTSIDE = -2


@dataclass(frozen=True)
class Vocabulary:
    """What the numbers of reasons stand for.

    Attributes:
        codes: Reason groups, then the policy's rules.
        texts: The sentence of each code.
        subjects: Features, then columns that rules look at.
    """

    codes: tuple[str, ...]
    texts: tuple[str, ...]
    subjects: tuple[str, ...]


@dataclass(frozen=True)
class TabularReasons:
    """Reasons of many applications.

    Attributes:
        code: Place in the vocabulary's codes, shape (n, 4); -1 where there is no
            reason. Those of a row stand first.
        subject: Place in the vocabulary's subjects, shape (n, 4); -1 where no single
            value is the cause.
        points: Points of the score, shape (n, 4); NaN for a rule.
        count: How many a row has, shape (n,).
    """

    code: Codes
    subject: Codes
    points: Values
    count: Codes

    def of_row(self, row: int, vocabulary: Vocabulary) -> tuple[Reason, ...]:
        """Give one row's reasons as objects."""
        found = []
        for place in range(int(self.count[row])):
            code, subject = int(self.code[row, place]), int(self.subject[row, place])
            points = float(self.points[row, place])
            found.append(
                Reason(
                    vocabulary.codes[code],
                    None if subject == NOBODY else vocabulary.subjects[subject],
                    vocabulary.texts[code],
                    None if np.isnan(points) else points,
                )
            )
        return tuple(found)


class TabularEngine:
    """Decides as an engine does, to the bit, and gives columns."""

    def __init__(self, engine: DecisionEngine) -> None:
        """Lay the names of an engine's reasons out."""
        self.engine = engine
        groups, features = engine.groups, engine.features.names
        rules = engine.grading.policy.rules
        named = tuple(
            dict.fromkeys(
                rule.when.subject
                for rule in rules
                if rule.when.subject is not None and rule.when.subject not in features
            )
        )
        self.vocabulary = Vocabulary(
            codes=(*groups.ordered, *(rule.code for rule in rules)),
            texts=(
                *(groups.texts[code] for code in groups.ordered),
                *(rule.text for rule in rules),
            ),
            subjects=(*features, *named),
        )
        places = {name: place for place, name in enumerate(self.vocabulary.subjects)}
        self._rule_subjects = np.array(
            [
                _FIRST_OUTSIDE if r.when.subject is None else places[r.when.subject]
                for r in rules
            ],
            np.int64,
        )

    def decide(
        self, rows: Values, *, explain: bool, reasons: bool = True
    ) -> tuple[Decisions, TabularReasons | None]:
        """Decide on applications whose columns stand side by side.

        Args:
            rows: As `DecisionEngine.decide_rows` takes them.
            explain: Give reasons for approved applications too.
            reasons: Give reasons at all.

        Returns:
            Decisions without reasons, and the reasons.

        Raises:
            InvalidProbabilityError: If the model gives a margin that is no finite
                number.
        """
        engine = self.engine
        decisions, speakers = engine.decide_silently(rows, explain=explain)
        if not reasons:
            return decisions, None
        return decisions, self._reasons(decisions.features, speakers)

    def _reasons(self, x: Values, speakers: Codes) -> TabularReasons:
        engine, groups = self.engine, self.engine.groups
        n = len(x)
        speaking = np.flatnonzero(speakers[:, MOST_REASONS] == 1)
        strongest = np.empty((len(speaking), MOST_REASONS, 2), np.int64)
        lost = np.empty((len(speaking), MOST_REASONS))
        if len(speaking):
            asked = x if len(speaking) == n else x[speaking]
            strongest_groups(
                engine.model.contributions(asked),
                engine.points_per_unit,
                groups.group_of_feature,
                len(groups.ordered),
                strongest,
                lost,
            )
        found = TabularReasons(
            code=np.full((n, MOST_REASONS), NOBODY, np.int64),
            subject=np.full((n, MOST_REASONS), NOBODY, np.int64),
            points=np.full((n, MOST_REASONS), np.nan),
            count=np.zeros(n, np.int64),
        )
        list_reasons(
            speakers,
            strongest,
            lost,
            len(groups.ordered),
            self._rule_subjects,
            x,
            engine.ranges,
            found.code,
            found.subject,
            found.points,
            found.count,
        )
        return found


@compiled
def _first_outside(features: Values, row: int, ranges: Values) -> int:
    """Find one row's first feature outside the training range."""
    for place in range(features.shape[1]):
        value = features[row, place]
        unknown = np.isnan(value) and ranges[MISSING, place] < 1.0
        if unknown or value < ranges[LOW, place] or value > ranges[HIGH, place]:
            return place
    return NOBODY


@compiled
def list_reasons(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    speakers: Codes,
    strongest: Codes,
    lost: Values,
    n_groups: int,
    rule_subjects: Codes,
    features: Values,
    ranges: Values,
    code: Codes,
    subject: Codes,
    points: Values,
    count: Codes,
) -> None:
    """List each row's reasons: the policy's first, then the model's, four at most.

    Args:
        speakers: See `grade_rows`.
        strongest: See `strongest_groups`, of the rows for which the model speaks.
        lost: Points, see there.
        n_groups: Count of reason groups.
        rule_subjects: Place of each rule's subject; -2 for the first feature outside
            the training range.
        features: Feature matrix, shape (n, n_features).
        ranges: See `Uncertainty.ranges_of`.
        code: This and the next three are written; see `TabularReasons`. They hold
            what stands for none.
        subject: See there.
        points: See there.
        count: See there.
    """
    of_model = 0
    for row in range(speakers.shape[0]):
        place = 0
        for said in range(MOST_REASONS):
            rule = speakers[row, said]
            if rule < 0:
                break
            code[row, place] = n_groups + rule
            of_rule = rule_subjects[rule]
            if of_rule == _FIRST_OUTSIDE:
                of_rule = _first_outside(features, row, ranges)
            subject[row, place] = of_rule
            place += 1
        if speakers[row, MOST_REASONS] == 1:
            for said in range(MOST_REASONS):
                group = strongest[of_model, said, 0]
                if group < 0 or place == MOST_REASONS:
                    break
                code[row, place] = group
                subject[row, place] = strongest[of_model, said, 1]
                points[row, place] = lost[of_model, said]
                place += 1
            of_model += 1
        count[row] = place
