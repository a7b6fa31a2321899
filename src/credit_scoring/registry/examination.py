"""The examination of a candidate: every figure that gates and reports need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_scoring.decision.decisions import Decisions, Outcome
from credit_scoring.errors import ArtifactError, EvaluationError
from credit_scoring.evaluation.calibration_tests import (
    CalibrationLine,
    CalibrationTest,
    calibration_line,
    hosmer_lemeshow,
    likelihood_ratio,
    spiegelhalter,
)
from credit_scoring.evaluation.cut_offs import TradeOff
from credit_scoring.evaluation.delong import AucComparison, compare_aucs
from credit_scoring.evaluation.fairness import (
    Decided,
    GroupFairness,
    choose_reference,
    compare_groups,
)
from credit_scoring.evaluation.measures import Measure
from credit_scoring.evaluation.monotonicity import Monotonicity, check_directions
from credit_scoring.evaluation.profit import compare_profits, measure_profit, worths
from credit_scoring.evaluation.shift import Shift, judge_shift
from credit_scoring.evaluation.swap_sets import (
    BandLine,
    SwapSets,
    band_table,
    swap_sets,
)
from credit_scoring.registry.artifact import Artifact, load_artifact
from credit_scoring.registry.champion import Champion
from credit_scoring.registry.gate_parameters import Attribute, GateParameters

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class TestRows:
    """Applications that no candidate has seen, with what became of them.

    Attributes:
        columns: Contract columns that a decision may use, each of shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        protected: Contract columns that none may use, each of shape (n,); NaN
            is missing. For fairness alone.
    """

    __test__ = False

    columns: Mapping[str, Values]
    bad: Values
    protected: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True)
class AttributeFairness:
    """One protected attribute.

    Attributes:
        reference: The group that others are compared with.
        groups: Each group beside it.
        unassigned: Share of the rows that are in no group.
    """

    reference: str
    groups: tuple[GroupFairness, ...]
    unassigned: float


class Examination:
    """A candidate's artifact on the test rows; figures are made when asked for.

    Each property raises a `CreditScoringError` if its figure cannot be had: an
    artifact that does not verify has none.
    """

    def __init__(
        self,
        folder: Path,
        rows: TestRows,
        parameters: GateParameters,
        champion: Champion,
        *,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """Load and verify the artifact.

        Args:
            folder: The candidate's artifact.
            rows: Applications to measure it on.
            parameters: What it must reach, and how that is measured.
            champion: What it is compared with.
            clock: Seconds, for the latency.
        """
        self.folder = folder
        self.rows = rows
        self.parameters = parameters
        self.champion = champion
        self.fault: str | None = None
        self._clock = clock
        self._artifact: Artifact | None = None
        try:
            self._artifact = load_artifact(folder)
        except ArtifactError as error:
            self.fault = str(error)

    @property
    def artifact(self) -> Artifact:
        """The verified artifact.

        Raises:
            ArtifactError: If it does not verify.
        """
        if self._artifact is None:
            raise ArtifactError("the artifact does not verify")
        return self._artifact

    @cached_property
    def decisions(self) -> Decisions:
        """What it decides on the rows, with reasons where it does not approve."""
        return self.artifact.engine.decide(self.rows.columns, explain=False)

    @property
    def decides_as_champion(self) -> bool:
        """Whether each row gets the very score and outcome that the champion gives.

        Raises:
            PromotionError: If there is no champion, or it could not decide.
        """
        champion = self.champion.decisions()
        return bool(
            np.array_equal(self.decisions.score, champion.score)
            and np.array_equal(self.decisions.outcome, champion.outcome)
        )

    @property
    def approved(self) -> Flags:
        """Whom the policy approves, shape (n,)."""
        found: Flags = self.decisions.outcome == Outcome.APPROVE
        return found

    @cached_property
    def auc(self) -> Measure:
        """AUC, with DeLong's interval."""
        level = self.parameters.against_champion.level
        margin = self.decisions.margin
        # Against a constant, whose AUC is one half and does not vary.
        found = compare_aucs(margin, np.zeros_like(margin), self.rows.bad, level=level)
        return Measure(found.auc, 0.5 + found.low, 0.5 + found.high)

    @cached_property
    def auc_against_champion(self) -> AucComparison:
        """AUC beside the champion's, by DeLong's test."""
        test = self.parameters.against_champion
        return compare_aucs(
            self.decisions.margin,
            self.champion.decisions().margin,
            self.rows.bad,
            margin=test.margin,
            level=test.level,
            mode=test.mode,
        )

    @cached_property
    def calibration(self) -> CalibrationLine:
        """The recalibration line with its intervals."""
        return calibration_line(
            self.decisions.pd_, self.rows.bad, level=self.parameters.calibration.level
        )

    @cached_property
    def calibration_tests(self) -> dict[str, CalibrationTest]:
        """Tests of calibration by name."""
        pd_, bad = self.decisions.pd_, self.rows.bad
        return {
            "spiegelhalter": spiegelhalter(pd_, bad),
            "likelihood_ratio": likelihood_ratio(pd_, bad),
            "hosmer_lemeshow": hosmer_lemeshow(pd_, bad),
        }

    @cached_property
    def score_shift(self) -> Shift:
        """The score against that of the training rows."""
        return self._shift(
            self.artifact.reference["score"],
            self.decisions.score,
            self.parameters.stability.level,
        )

    @cached_property
    def feature_shifts(self) -> dict[str, Shift]:
        """Each feature against the training rows; the level holds for all."""
        described = self.artifact.reference["features"]
        each = 1 - (1 - self.parameters.stability.level) / max(1, len(described))
        names = self.artifact.feature_set.names
        return {
            name: self._shift(described[name], self.decisions.features[:, place], each)
            for place, name in enumerate(names)
        }

    def _shift(
        self, expected: Mapping[str, Any], actual: Values, level: float
    ) -> Shift:
        rows = self.artifact.reference["rows"]
        shares = np.array([*expected["shares"], expected["missing"]])
        known = actual[~np.isnan(actual)]
        place = np.searchsorted(np.array(expected["edges"]), known, side="right")
        counts = np.bincount(place, minlength=len(shares) - 1)
        return judge_shift(
            np.rint(shares * rows).astype(np.int64),
            np.append(counts, actual.size - known.size),
            level=level,
        )

    @cached_property
    def monotonicity(self) -> list[Monotonicity]:
        """Whether the declared directions hold on the rows."""
        tried = self.parameters.monotonicity
        features = self.artifact.feature_set
        return check_directions(
            self.artifact.model.margin,
            self.decisions.features,
            features=features.names,
            directions=features.directions,
            rows=tried.rows,
            values=tried.values,
        )

    @cached_property
    def without_reasons(self) -> int:
        """Applications that are not approved and get no reason."""
        pairs = zip(~self.approved, self.decisions.reasons, strict=True)
        return sum(1 for refused, reasons in pairs if refused and not reasons)

    def fairness(self, attribute: Attribute) -> AttributeFairness:
        """Compare the groups of a protected attribute.

        Raises:
            EvaluationError: If the rows do not hold it, or no group is large
                enough to compare with.
        """
        asked = self.parameters.fairness
        column = self.rows.protected.get(attribute.column)
        if column is None:
            raise EvaluationError(
                f"{attribute.column} is none of the {len(self.rows.protected)} "
                "protected columns beside the rows"
            )
        members = {name: g.members(column) for name, g in attribute.groups.items()}
        reference = choose_reference(
            members, self.approved, least_share=asked.reference_share
        )
        decided = Decided(self.approved, self.decisions.score, self.rows.bad)
        assigned = np.any(list(members.values()), axis=0)
        return AttributeFairness(
            reference,
            tuple(
                compare_groups(members, decided, reference=reference, level=asked.level)
            ),
            float(1 - assigned.mean()),
        )

    @cached_property
    def exposure(self) -> Values:
        """Amount at stake for each row.

        Raises:
            EvaluationError: If its column is not there.
        """
        name = self.parameters.profit.costs.exposure
        if name is None:
            return np.ones_like(self.rows.bad)
        if name not in self.rows.columns:
            raise EvaluationError(
                f"the exposure {name} is none of the {len(self.rows.columns)} columns "
                "that a decision may use"
            )
        return self.rows.columns[name]

    @cached_property
    def worth(self) -> Values:
        """What approving each row earns."""
        return worths(self.rows.bad, self.exposure, self.parameters.profit.costs)

    @cached_property
    def profit(self) -> Measure:
        """What the policy's approvals earn."""
        return measure_profit(
            self.approved,
            self.worth,
            self.exposure,
            bootstrap=self.parameters.profit.bootstrap,
        )

    @property
    def champion_approved(self) -> Flags:
        """Whom the champion approves, shape (n,)."""
        found: Flags = self.champion.decisions().outcome == Outcome.APPROVE
        return found

    @cached_property
    def profit_against_champion(self) -> Measure:
        """Profit less the champion's on the same rows."""
        return compare_profits(
            self.approved,
            self.champion_approved,
            worth=self.worth,
            exposure=self.exposure,
            bootstrap=self.parameters.profit.bootstrap,
        )

    @cached_property
    def swaps(self) -> SwapSets:
        """Whom it approves and the champion does not, and the reverse."""
        return swap_sets(self.approved, self.champion_approved, self.rows.bad)

    @cached_property
    def bands(self) -> list[BandLine]:
        """Approvals and bad rates by band."""
        found = self.decisions
        return band_table(
            found.band,
            found.outcome,
            pd_=found.pd_,
            bad=self.rows.bad,
            codes=found.band_codes,
        )

    @cached_property
    def trade_off(self) -> TradeOff:
        """Every cut-off and what it leads to."""
        return TradeOff(
            self.decisions.score,
            self.decisions.pd_,
            self.rows.bad,
            exposure=self.exposure,
            costs=self.parameters.profit.costs,
        )

    @cached_property
    def latency_ms(self) -> float:
        """Median time of one decision with its reasons, after one to warm up."""
        engine, timed = self.artifact.engine, []
        rows = min(self.parameters.latency.rows, len(self.rows.bad))
        for row in (0, *range(rows)):
            one = {name: v[row : row + 1] for name, v in self.rows.columns.items()}
            started = self._clock()
            engine.decide(one, explain=True)
            timed.append(1000 * (self._clock() - started))
        return median(timed[1:])
