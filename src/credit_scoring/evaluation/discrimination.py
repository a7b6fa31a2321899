"""Discrimination: how well the order of risk tells bads from goods."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.sample import check_sample, unit_weights

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """Shares of goods and bads at or above each level of risk.

    Attributes:
        level: Distinct risks, falling, shape (n_levels + 1,); the first is +inf,
            above which there is nobody.
        goods: Share of goods with at least that risk, shape (n_levels + 1,).
        bads: Share of bads with at least that risk, shape (n_levels + 1,).
    """

    level: Values
    goods: Values
    bads: Values


class Ranking:
    """Applications in order of risk, ready to be measured under many weights."""

    def __init__(self, risk: Values, bad: Values) -> None:
        """Sort once.

        Args:
            risk: PD, log-odds of bad, or anything that rises with them,
                shape (n,).
            bad: 1 for bad, 0 for good, shape (n,).

        Raises:
            EvaluationError: If a risk is NaN, lengths differ, or there is only
                one outcome.
        """
        check_sample(risk, bad, what="risks")
        self._order = np.argsort(-risk, kind="stable")
        falling = risk[self._order]
        self._starts = np.flatnonzero(np.r_[True, falling[1:] != falling[:-1]])
        self._bad = bad[self._order] == 1
        self._level = falling[self._starts]

    def curves(self, weights: Values | None = None) -> Curves:
        """Shares of goods and bads at or above each distinct risk."""
        goods, bads = self._by_level(unit_weights(weights, len(self._order)))
        shares = [np.r_[0.0, _running_share(part)[0]] for part in (goods, bads)]
        return Curves(np.r_[np.inf, self._level], shares[0], shares[1])

    def auc(self, weights: Values) -> Values:
        """Area under the ROC curve for each set of weights.

        Args:
            weights: Shape (n_sets, n).

        Returns:
            Shape (n_sets,), in [0, 1]; NaN where a set has one outcome only.
        """
        goods, bads = self._by_level(weights)
        safer = goods.sum(axis=1, keepdims=True) - np.cumsum(goods, axis=1)
        won = (bads * (safer + 0.5 * goods)).sum(axis=1)
        pairs = goods.sum(axis=1) * bads.sum(axis=1)
        return _ratio(won, pairs)

    def ks(self, weights: Values) -> Values:
        """Kolmogorov-Smirnov distance for each set of weights.

        Args:
            weights: Shape (n_sets, n).

        Returns:
            Shape (n_sets,), in [0, 1]; NaN where a set has one outcome only.
        """
        goods, bads = self._by_level(weights)
        distance = np.abs(_running_share(bads) - _running_share(goods))
        largest: Values = np.minimum(distance.max(axis=1), 1.0)
        return largest

    def _by_level(self, weights: Values) -> tuple[Values, Values]:
        sorted_ = weights[:, self._order]
        bads = np.add.reduceat(sorted_ * self._bad, self._starts, axis=1)
        goods = np.add.reduceat(sorted_ * ~self._bad, self._starts, axis=1)
        return goods, bads


def _ratio(part: Values, whole: Values) -> Values:
    undefined = np.full(part.shape, np.nan)
    found: Values = np.divide(part, whole, out=undefined, where=whole > 0)
    return found


def _running_share(part: Values) -> Values:
    total = np.broadcast_to(part.sum(axis=1, keepdims=True), part.shape)
    return _ratio(np.cumsum(part, axis=1), total)


def _one(found: Values) -> float:
    if np.isnan(found[0]):
        raise EvaluationError("the weights leave only one outcome")
    return float(found[0])


def roc_auc(risk: Values, bad: Values, weights: Values | None = None) -> float:
    """Probability that a bad is ranked riskier than a good; a tie counts half.

    Args:
        risk: PD, log-odds of bad, or anything that rises with them, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Weight of each application, shape (n,); one each by default.

    Returns:
        In [0, 1]; 0.5 for a constant risk, 1 for perfect separation.

    Raises:
        EvaluationError: If a risk is NaN, lengths differ, or there is only one
            outcome.

    Source: Hanley & McNeil, The Meaning and Use of the Area under a ROC Curve
        (1982), Radiology 143.
    """
    return _one(Ranking(risk, bad).auc(unit_weights(weights, len(risk))))


def gini(risk: Values, bad: Values, weights: Values | None = None) -> float:
    """Gini coefficient: 2 * AUC - 1, in [-1, 1].

    Args:
        risk: PD, log-odds of bad, or anything that rises with them, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Weight of each application, shape (n,); one each by default.

    Raises:
        EvaluationError: As `roc_auc`.
    """
    return 2 * roc_auc(risk, bad, weights) - 1


def ks(risk: Values, bad: Values, weights: Values | None = None) -> float:
    """Largest distance between the distributions of risk of bads and goods.

    It is taken between distinct risks only: applications that share a risk are
    on the same side of every cut-off.

    Args:
        risk: PD, log-odds of bad, or anything that rises with them, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Weight of each application, shape (n,); one each by default.

    Returns:
        In [0, 1]; 0 for a constant risk, 1 for perfect separation.

    Raises:
        EvaluationError: As `roc_auc`.

    Source: Siddiqi, Credit Risk Scorecards (2006), chapter 6, Scorecard strength.
    """
    return _one(Ranking(risk, bad).ks(unit_weights(weights, len(risk))))


def roc_points(risk: Values, bad: Values, weights: Values | None = None) -> Curves:
    """Points of the ROC curve, from nobody declined to everybody.

    Args:
        risk: PD, log-odds of bad, or anything that rises with them, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Weight of each application, shape (n,); one each by default.

    Raises:
        EvaluationError: As `roc_auc`.
    """
    return Ranking(risk, bad).curves(weights)
