"""Cut-offs: where to approve from, for profit, approvals or a bad rate."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import wilson_interval
from credit_scoring.evaluation.profit import CostTable, worths
from credit_scoring.evaluation.sample import check_sample, check_values

Values = NDArray[np.float64]


@dataclass(frozen=True)
class CutOff:
    """What approving from a score on would lead to.

    Attributes:
        score: Approved from here, in points.
        rows: Applicants.
        approved: Applicants at or above the score.
        approval_rate: In [0, 1].
        bads: Bads among the approved.
        bad_rate: Among the approved; None if nobody is.
        bad_rate_low: Lower end of its interval.
        bad_rate_high: Upper end of it.
        expected_profit: By the PDs, as a share of all that was applied for.
        profit: By the outcomes, likewise.
    """

    score: float
    rows: int
    approved: int
    approval_rate: float
    bads: int
    bad_rate: float | None
    bad_rate_low: float | None
    bad_rate_high: float | None
    expected_profit: float
    profit: float


class TradeOff:
    """Every cut-off that a book of applicants offers, and what each leads to.

    The choice of a cut-off looks at PDs, never at outcomes: the best of many
    cut-offs on the same outcomes would promise more than it keeps.

    Attributes:
        scores: Distinct scores, falling, shape (n_scores,).
        expected_profit: By the PDs, of approving from each of them; a share of
            all that was applied for.
        profit: By the outcomes, likewise.
    """

    def __init__(
        self,
        score: Values,
        pd_: Values,
        bad: Values,
        *,
        exposure: Values,
        costs: CostTable,
    ) -> None:
        """Sort once.

        Args:
            score: Points as reported, shape (n,).
            pd_: Probability of default, shape (n,).
            bad: 1 for bad, 0 for good, shape (n,).
            exposure: Amount at stake, shape (n,).
            costs: What a good earns and a bad costs.

        Raises:
            EvaluationError: If a score or PD is NaN, lengths differ, there is
                only one outcome, or an exposure cannot be used.
        """
        check_sample(score, bad, what="scores")
        check_values(pd_, what="PDs")
        order = np.argsort(-score, kind="stable")
        falling = score[order]
        self._last = np.flatnonzero(np.r_[falling[1:] != falling[:-1], True])
        self.scores: Values = falling[self._last]
        self._rows = len(score)
        whole = exposure.sum()
        self._bads = np.cumsum(bad[order])[self._last]
        self.expected_profit: Values = (
            self._running(worths(pd_, exposure, costs)[order]) / whole
        )
        self.profit: Values = self._running(worths(bad, exposure, costs)[order]) / whole
        self._mean_pd = self._running(pd_[order]) / self.approved

    def _running(self, values: Values) -> Values:
        found: Values = np.cumsum(values)[self._last]
        return found

    @cached_property
    def approved(self) -> Values:
        """Applicants at or above each of `scores`, shape (n_scores,)."""
        found: Values = (self._last + 1).astype(np.float64)
        return found

    def for_profit(self) -> float:
        """Find the score from which approving earns the most by the PDs.

        Raises:
            EvaluationError: If no cut-off earns anything.
        """
        best = int(self.expected_profit.argmax())
        if self.expected_profit[best] <= 0:
            raise EvaluationError(
                f"none of {self.scores.size} cut-offs is expected to earn anything"
            )
        return float(self.scores[best])

    def for_approval_rate(self, rate: float) -> float:
        """Find the highest score that approves at least a share of applicants.

        Args:
            rate: Share to approve, in (0, 1].
        """
        enough = self.approved >= rate * self._rows
        return float(self.scores[int(enough.argmax())])

    def for_bad_rate(self, rate: float) -> float:
        """Find the lowest score above which the mean PD is at most a rate.

        Args:
            rate: Share of bads to expect among the approved, in (0, 1).

        Raises:
            EvaluationError: If even the safest applicants exceed it.
        """
        safe = np.flatnonzero(self._mean_pd <= rate)
        if not safe.size:
            raise EvaluationError(
                f"no cut-off of {self.scores.size} leaves a mean PD of {rate:g} or "
                f"less; the least is {self._mean_pd.min():.4f}"
            )
        return float(self.scores[safe[-1]])

    def at(self, score: float, *, level: float = 0.95) -> CutOff:
        """Say what approving from a score on would lead to.

        Args:
            score: In points; none of the applicants need have it.
            level: Coverage of the bad rate's interval, in (0, 1).
        """
        reached = int((self.scores >= score).sum()) - 1
        if reached < 0:
            return CutOff(score, self._rows, 0, 0.0, 0, None, None, None, 0.0, 0.0)
        approved, bads = int(self.approved[reached]), int(self._bads[reached])
        low, high = wilson_interval(bads, approved, level=level)
        return CutOff(
            score=score,
            rows=self._rows,
            approved=approved,
            approval_rate=approved / self._rows,
            bads=bads,
            bad_rate=bads / approved,
            bad_rate_low=low,
            bad_rate_high=high,
            expected_profit=float(self.expected_profit[reached]),
            profit=float(self.profit[reached]),
        )
