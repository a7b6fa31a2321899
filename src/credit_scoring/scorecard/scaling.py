"""The points scale: PDO, and the score given at the base odds."""

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.errors import InvalidProbabilityError


class ScoreScaling(BaseModel):
    """How log-odds become points; higher is safer.

    ``score = offset + factor * ln(odds)`` with good:bad odds, where ``factor =
    pdo / ln 2`` and ``offset = base_score - factor * ln(base_odds)``.

    Source: Siddiqi, Credit Risk Scorecards (2006), chapter 6, Scorecard scaling.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_score: float
    base_odds: float = Field(gt=0)
    pdo: float = Field(gt=0)

    @property
    def factor(self) -> float:
        """Points for one unit of log-odds."""
        return self.pdo / math.log(2)

    @property
    def offset(self) -> float:
        """Score at even odds."""
        return self.base_score - self.factor * math.log(self.base_odds)


def score_from_log_odds(
    log_odds_bad: NDArray[np.float64], scaling: ScoreScaling
) -> NDArray[np.float64]:
    """Score calibrated log-odds of bad on the points scale.

    Args:
        log_odds_bad: ln(PD / (1 - PD)), shape (n_applications,), finite.
        scaling: PDO, and the score given at the base good:bad odds.

    Returns:
        Unrounded points, shape (n_applications,); higher is safer.
    """
    return scaling.offset - scaling.factor * log_odds_bad


def score_from_pd(
    pd_: NDArray[np.float64], scaling: ScoreScaling
) -> NDArray[np.float64]:
    """Score default probabilities on the points scale.

    Args:
        pd_: Probability of default, shape (n_applications,), in (0, 1).
        scaling: PDO, and the score given at the base good:bad odds.

    Returns:
        Unrounded points, shape (n_applications,). Good:bad odds twice
        as high add exactly ``scaling.pdo`` points.

    Raises:
        InvalidProbabilityError: If any PD is NaN, or not in (0, 1).
    """
    invalid = ~((pd_ > 0) & (pd_ < 1))
    if invalid.any():
        raise InvalidProbabilityError(
            f"{int(invalid.sum())} of {pd_.size} PDs are not in (0, 1); "
            f"first at row {int(invalid.argmax())}"
        )
    return score_from_log_odds(np.log(pd_ / (1 - pd_)), scaling)
