"""The decision engine: columns to features, PD, score, decision and reasons."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from credit_scoring.decision.decisions import (
    MOST_REASONS,
    Decision,
    Decisions,
    Outcome,
    Reason,
)
from credit_scoring.decision.grading import Grading, grade_rows, tabulate_rules
from credit_scoring.decision.logistic import pd_and_score
from credit_scoring.decision.model import Model
from credit_scoring.decision.policy import HISTORY_UNAVAILABLE, Policy
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.decision.uncertainty import (
    PdInterval,
    Uncertainty,
    places_outside,
)
from credit_scoring.errors import (
    ArtifactError,
    FeatureError,
    InvalidProbabilityError,
    PolicyError,
)

# Models may go another way with so many rows than with a few.
MANY_ROWS = 512

Values = NDArray[np.float64]
Codes = NDArray[np.int64]


class Features(Protocol):
    """What the engine needs of a feature set."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the feature matrix's columns, in order."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Contract columns that some feature reads."""

    def compute_rows(self, rows: Values, places: Codes) -> Values:
        """Compute the feature matrix, shape (n, n_features), C order.

        Args:
            rows: Columns side by side, shape (n, n_columns), C order.
            places: Where in a row each of `inputs` stands.
        """


class DecisionEngine:
    """Decides on applications; each row by itself, to the bit.

    An engine is never changed once made, so threads may share it.
    """

    def __init__(  # noqa: PLR0913 - one for each part
        self,
        model: Model,
        grading: Grading,
        *,
        features: Features,
        groups: ReasonGroups,
        columns: tuple[str, ...],
        uncertainty: Uncertainty | None = None,
    ) -> None:
        """Put a model, its features and the policy together.

        Args:
            model: With its background, if it is to give reasons.
            grading: Calibration, scaling and policy.
            features: Computes what the model reads.
            groups: Reason groups of the same features.
            columns: Contract columns that a decision may use, in the order in
                which rows hold them.
            uncertainty: Intervals of the PD and the training range; without it no
                PD has an interval, and no rule may ask for the range.

        Raises:
            ArtifactError: If the model's features are not those computed, or
                a feature reads what is none of the columns.
            PolicyError: If a rule looks at what is not there, or shares its
                code with a reason group.
        """
        _check_features(model, features, groups)
        policy = grading.policy
        policy.check_names(
            columns=columns, features=features.names, reasons=groups.ordered
        )
        self.model = model
        self.grading = grading
        self.features = features
        self.groups = groups
        self.columns = columns
        unknown = sorted(set(features.inputs) - set(columns))
        if unknown:
            raise ArtifactError(
                f"features read what no decision may use: {', '.join(unknown)}"
            )
        self._input_places = np.array([columns.index(n) for n in features.inputs])
        self._needed = frozenset((*features.inputs, *policy.columns()))
        self._ranges = _ranges(policy, uncertainty, features)
        self._rules = tabulate_rules(
            policy, columns=columns, features=features.names, ranges=self._ranges
        )
        self.uncertainty = uncertainty
        self._rule_reasons = tuple(
            Reason(rule.code, rule.when.subject, rule.text, None)
            for rule in policy.rules
        )
        self._band_codes = tuple(band.code for band in policy.bands)
        self.points_per_unit = grading.scaling.factor * grading.calibration.slope
        self._unavailable = Reason(
            HISTORY_UNAVAILABLE, None, policy.history_unavailable_text, None
        )

    @property
    def ranges(self) -> Values:
        """The training range, see `Uncertainty.ranges_of`; any if no rule asks."""
        return self._rules.ranges

    @property
    def policy_version(self) -> str:
        """Version of the policy that decides."""
        return self.grading.policy.version

    def decide(self, columns: Mapping[str, Values], *, explain: bool) -> Decisions:
        """Decide on applications from their contract columns.

        Args:
            columns: Float64 columns of shape (n,) by contract name; NaN is
                missing.
            explain: Give reasons for approved applications too.

        Returns:
            Decisions in the order of the rows.

        Raises:
            FeatureError: If a column that a feature or rule reads is not there.
            InvalidProbabilityError: If the model gives a margin that is no
                finite number.
        """
        return self.decide_rows(self._rows(columns), explain=explain)

    def decide_rows(self, rows: Values, *, explain: bool) -> Decisions:
        """Decide on applications whose columns stand side by side.

        Args:
            rows: Shape (n, n_columns), in the order of `columns`, C order; NaN is
                missing.
            explain: Give reasons for approved applications too.

        Returns:
            Decisions in the order of the rows.

        Raises:
            InvalidProbabilityError: If the model gives a margin that is no
                finite number.
        """
        decisions, speakers = self.decide_silently(rows, explain=explain)
        decisions.reasons[:] = self._reasons(decisions.features, speakers)
        return decisions

    def decide_unexplained(self, columns: Mapping[str, Values]) -> Decisions:
        """Decide on applications without reasons, for statistics.

        Args:
            columns: Float64 columns of shape (n,) by contract name; NaN is
                missing.

        Returns:
            Decisions as `decide` gives them, with no reasons. The model needs
            no background for it.

        Raises:
            FeatureError: If a column that a feature or rule reads is not there.
            InvalidProbabilityError: If the model gives a margin that is no
                finite number.
        """
        return self.decide_silently(self._rows(columns), explain=False)[0]

    def decide_without_history(self) -> Decision:
        """Refer an application whose history is not at hand, with no PD made up."""
        return Decision(
            pd=None,
            score=None,
            band=None,
            decision=Outcome.REFER.label,
            reasons=(self._unavailable,),
        )

    def pd_interval(self, decision: Decision) -> PdInterval | None:
        """Give the interval of a decision's PD.

        Returns:
            None if there is no PD, or the model was made without intervals.
        """
        if self.uncertainty is None or decision.pd is None or decision.margin is None:
            return None
        return self.uncertainty.pd_intervals.at(decision.margin, decision.pd)

    def warm_up(self, columns: Mapping[str, Values]) -> None:
        """Compile everything a decision runs, for one row and for several.

        Args:
            columns: Columns of at least one application.
        """
        first = {name: values[:1].copy() for name, values in columns.items()}
        times = -(-MANY_ROWS // len(next(iter(columns.values()))))
        many = {name: np.tile(values, times) for name, values in columns.items()}
        for rows in (first, many):
            for explain in (False, True):
                self.decide(rows, explain=explain).rows()

    def _rows(self, columns: Mapping[str, Values]) -> Values:
        """Put columns side by side; what nothing reads may be left out."""
        absent = sorted(self._needed.difference(columns))
        if absent:
            raise FeatureError(
                f"columns missing for features or rules: {', '.join(absent)}"
            )
        given = [name for name in self.columns if name in columns]
        rows = np.full((len(columns[given[0]]), len(self.columns)), np.nan)
        for name in given:
            rows[:, self.columns.index(name)] = columns[name]
        return rows

    def decide_silently(
        self, rows: Values, *, explain: bool
    ) -> tuple[Decisions, Codes]:
        """Decide as `decide_rows` does, and say who would give reasons.

        Args:
            rows: Shape (n, n_columns), see `decide_rows`.
            explain: The model would speak for approvals, too.

        Returns:
            Decisions without reasons; besides, who gives them (see `grade_rows`).

        Raises:
            InvalidProbabilityError: If the model gives a margin that is no
                finite number.
        """
        n, grading = len(rows), self.grading
        x = self.features.compute_rows(rows, self._input_places)
        margin = self.model.margin(x)
        pd_, score = np.empty(n), np.empty(n)
        wrong = pd_and_score(margin, grading.line, pd_, score)
        if wrong:
            first = int(np.isfinite(score).argmin())
            raise InvalidProbabilityError(
                f"{wrong} of {n} margins are not finite; first at row {first}"
            )
        band, outcome = np.empty(n, np.int64), np.empty(n, np.int64)
        speakers = np.empty((n, MOST_REASONS + 1), np.int64)
        grade_rows(
            score,
            grading.limits,
            grading.cut_offs,
            rows,
            x,
            *self._rules,
            explain,
            band,
            outcome,
            speakers,
        )
        decisions = Decisions(
            features=x,
            margin=margin,
            pd_=pd_,
            score=score,
            band=band,
            outcome=outcome,
            reasons=[()] * n,
            band_codes=self._band_codes,
        )
        return decisions, speakers

    def _reasons(self, x: Values, speakers: Codes) -> list[tuple[Reason, ...]]:
        """Give each application's reasons: the policy's first, then the model's."""
        spoken = speakers.tolist()
        speaking = [row for row, said in enumerate(spoken) if said[MOST_REASONS] == 1]
        of_model: list[tuple[Reason, ...]] = [()] * len(x)
        if speaking:
            asked = x if len(speaking) == len(x) else x[speaking]
            explained = self.groups.explain(
                self.model.contributions(asked), self.points_per_unit
            )
            for row, own in zip(speaking, explained, strict=True):
                of_model[row] = own
        return [
            self._of_rules(said, own, x[row]) if said[0] >= 0 else own
            for row, (said, own) in enumerate(zip(spoken, of_model, strict=True))
        ]

    def _of_rules(
        self, said: list[int], own: tuple[Reason, ...], x: Values
    ) -> tuple[Reason, ...]:
        rules = (
            self._rule_reason(rule, x) for rule in said[:MOST_REASONS] if rule >= 0
        )
        return (*rules, *own)[:MOST_REASONS]

    def _rule_reason(self, rule: int, x: Values) -> Reason:
        """Give a rule's reason; of the training range it names the first feature."""
        reason = self._rule_reasons[rule]
        if self._ranges is None or reason.feature is not None:
            return reason
        first = places_outside(x, self._ranges)[0]
        return Reason(reason.code, self.features.names[first], reason.text, None)


def _check_features(model: Model, features: Features, groups: ReasonGroups) -> None:
    if not model.features == features.names == groups.features:
        raise ArtifactError(
            f"the model reads {len(model.features)} features, the code computes "
            f"{len(features.names)}: names and order must be equal"
        )


def _ranges(
    policy: Policy, uncertainty: Uncertainty | None, features: Features
) -> Values | None:
    if not policy.needs_training_range:
        return None
    if uncertainty is None:
        raise PolicyError(
            "a rule looks at the training range, which the model was made without"
        )
    return uncertainty.ranges_of(features.names)
