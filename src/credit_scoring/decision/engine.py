"""The decision engine: columns to features, PD, score, decision and reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.decisions import Decision, Decisions, Outcome, Reason
from credit_scoring.decision.logistic import pd_and_score
from credit_scoring.decision.model import Model
from credit_scoring.decision.policy import (
    HISTORY_UNAVAILABLE,
    Policy,
    grade,
    outcome_of_rules,
)
from credit_scoring.decision.reasons import MOST_REASONS, ReasonGroups
from credit_scoring.errors import ArtifactError, InvalidProbabilityError
from credit_scoring.scorecard.scaling import ScoreScaling

Values = NDArray[np.float64]


class Features(Protocol):
    """What the engine needs of a feature set."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the feature matrix's columns, in order."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Contract columns that some feature reads."""

    def compute(self, columns: Mapping[str, Values]) -> Values:
        """Compute the feature matrix, shape (n, n_features)."""


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


class DecisionEngine:
    """Decides on applications; each row by itself, to the bit.

    An engine is never changed once made, so threads may share it.
    """

    def __init__(
        self,
        model: Model,
        grading: Grading,
        *,
        features: Features,
        groups: ReasonGroups,
        columns: tuple[str, ...],
    ) -> None:
        """Put a model, its features and the policy together.

        Args:
            model: With its background, if it is to give reasons.
            grading: Calibration, scaling and policy.
            features: Computes what the model reads.
            groups: Reason groups of the same features.
            columns: Contract columns that a decision may use.

        Raises:
            ArtifactError: If the model's features are not those computed.
            PolicyError: If a rule looks at what is not there, or shares its
                code with a reason group.
        """
        if not model.features == features.names == groups.features:
            raise ArtifactError(
                f"the model reads {len(model.features)} features, the code computes "
                f"{len(features.names)}: names and order must be equal"
            )
        policy = grading.policy
        policy.check_names(
            columns=columns, features=features.names, reasons=groups.ordered
        )
        self.model = model
        self.grading = grading
        self.features = features
        self.groups = groups
        self.columns = columns
        self._rule_outcomes = outcome_of_rules(policy.rules)
        self._rule_reasons = tuple(
            Reason(rule.code, rule.when.subject, rule.text, None)
            for rule in policy.rules
        )
        self._band_codes = tuple(band.code for band in policy.bands)
        self._band_limits = np.array(
            [band.from_ for band in policy.bands if band.from_ is not None]
        )
        self._cut_offs = (policy.approve_from, policy.decline_below)
        calibration, scaling = grading.calibration, grading.scaling
        self._line = (calibration.slope, calibration.intercept)
        self._scale = (scaling.offset, scaling.factor)
        self._points_per_unit = scaling.factor * calibration.slope
        self._unavailable = Reason(
            HISTORY_UNAVAILABLE, None, policy.history_unavailable_text, None
        )

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
            FeatureError: If a column that a feature reads is not there.
            InvalidProbabilityError: If the model gives a margin that is no
                finite number.
        """
        x = self.features.compute(columns)
        return self.decide_features(x, columns, explain=explain)

    def decide_features(
        self, x: Values, columns: Mapping[str, Values], *, explain: bool
    ) -> Decisions:
        """Decide on applications whose features are computed already.

        Args:
            x: Feature matrix, shape (n, n_features), C order.
            columns: At least the columns that the policy's rules look at
                (`Policy.columns`), each of shape (n,).
            explain: Give reasons for approved applications too.

        Returns:
            Decisions in the order of the rows.

        Raises:
            InvalidProbabilityError: If the model gives a margin that is no
                finite number.
            PolicyError: If a column that a rule looks at is not there.
        """
        decisions, by_score, fired = self._graded(x, columns)
        reasons = self._reasons(
            x, by_score, decisions.outcome, fired=fired, explain=explain
        )
        return replace(decisions, reasons=reasons)

    def decide_unexplained(self, columns: Mapping[str, Values]) -> Decisions:
        """Decide on applications without reasons, for statistics.

        Args:
            columns: Float64 columns of shape (n,) by contract name; NaN is
                missing.

        Returns:
            Decisions as `decide` gives them, with no reasons. The model needs
            no background for it.

        Raises:
            FeatureError: If a column that a feature reads is not there.
            InvalidProbabilityError: If the model gives a margin that is no
                finite number.
        """
        return self._graded(self.features.compute(columns), columns)[0]

    def decide_without_history(self) -> Decision:
        """Refer an application whose history is not at hand, with no PD made up."""
        return Decision(
            pd=None,
            score=None,
            band=None,
            decision=Outcome.REFER.label,
            reasons=(self._unavailable,),
        )

    def warm_up(self, columns: Mapping[str, Values]) -> None:
        """Compile everything a decision runs, for one row and for several.

        Args:
            columns: Columns of at least one application.
        """
        first = {name: values[:1].copy() for name, values in columns.items()}
        for rows in (first, dict(columns)):
            for explain in (False, True):
                self.decide(rows, explain=explain).rows()

    def _graded(
        self, x: Values, columns: Mapping[str, Values]
    ) -> tuple[Decisions, NDArray[np.int64], NDArray[np.bool_] | None]:
        """Decide without reasons; besides, by score alone, and which rules fired."""
        margin = self.model.margin(x)
        pd_, score = pd_and_score(margin, self._line, self._scale)
        if not np.isfinite(score).all():
            wrong = ~np.isfinite(score)
            raise InvalidProbabilityError(
                f"{int(wrong.sum())} of {len(margin)} margins are not finite; "
                f"first at row {int(wrong.argmax())}"
            )
        band, by_score = grade(score, self._band_limits, self._cut_offs)
        fired = self._fired(x, columns)
        outcome = by_score
        if fired is not None:
            by_rules = np.where(fired, self._rule_outcomes, 0)
            outcome = np.maximum(by_score, by_rules.max(axis=1))
        decisions = Decisions(
            features=x,
            margin=margin,
            pd_=pd_,
            score=score,
            band=band,
            outcome=outcome,
            reasons=((),) * len(margin),
            band_codes=self._band_codes,
        )
        return decisions, by_score, fired

    def _fired(
        self, x: Values, columns: Mapping[str, Values]
    ) -> NDArray[np.bool_] | None:
        """Ask the rules; None if no rule fired at all, the usual case."""
        policy = self.grading.policy
        if not policy.rules:
            return None
        by_feature = {
            rule.when.feature: x[:, self.features.names.index(rule.when.feature)]
            for rule in policy.rules
            if rule.when.feature is not None
        }
        fired = policy.fired(columns=columns, features=by_feature, rows=len(x))
        return fired if fired.any() else None

    def _reasons(
        self,
        x: Values,
        by_score: NDArray[np.int64],
        outcome: NDArray[np.int64],
        *,
        fired: NDArray[np.bool_] | None,
        explain: bool,
    ) -> tuple[tuple[Reason, ...], ...]:
        """Give each application's reasons: the policy's first, then the model's.

        The model speaks where its score alone leads to the outcome, or where
        it is asked to; where a rule declines, the rules alone do.
        """
        speaks = np.ones(len(x), dtype=np.bool_)
        if not explain:
            speaks = (by_score == outcome) & (outcome > Outcome.APPROVE)
        spoken: list[tuple[Reason, ...]] = [()] * len(x)
        if fired is not None:
            decisive = fired & (self._rule_outcomes == outcome[:, None])
            declined = (outcome == Outcome.DECLINE) & decisive.any(axis=1)
            speaks &= ~declined
            for row in np.flatnonzero(decisive.any(axis=1)).tolist():
                spoken[row] = tuple(
                    self._rule_reasons[index]
                    for index in np.flatnonzero(decisive[row]).tolist()
                )
        if speaks.any():
            asked = x if speaks.all() else x[speaks]
            contributions = self.model.contributions(asked)
            explained = self.groups.explain(contributions, self._points_per_unit)
            for row, own in zip(
                np.flatnonzero(speaks).tolist(), explained, strict=True
            ):
                spoken[row] += own
        return tuple(reasons[:MOST_REASONS] for reasons in spoken)
