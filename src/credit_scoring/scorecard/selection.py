"""Choosing a scorecard's features: informative, not repeated, of the right sign."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from credit_scoring.errors import TrainingError
from credit_scoring.scorecard.model import BinnedFeature, locate_bins

Values = NDArray[np.float64]

_DECIMALS = 6


@dataclass(frozen=True)
class Weights:
    """A logistic regression on weights of evidence in which every sign is right.

    Attributes:
        columns: Columns of the matrix of weights of evidence that it uses.
        coefficients: Log-odds of bad for one unit of weight of evidence, each
            below 0, in the order of the columns.
        intercept: Log-odds of bad where every weight of evidence is 0.
        left_out: Column -> why it is not used.
    """

    columns: tuple[int, ...]
    coefficients: tuple[float, ...]
    intercept: float
    left_out: dict[int, str]

    def log_odds(self, woe: Values) -> Values:
        """Log-odds of bad of each row of a matrix of weights of evidence."""
        used = woe[:, list(self.columns)] * np.array(self.coefficients)
        total: Values = self.intercept + used.sum(axis=1)
        return total


def weigh(x: Values, binned: Sequence[BinnedFeature]) -> Values:
    """Replace each value by the weight of evidence of its bin.

    Args:
        x: One column for each binned feature, shape (n, n_binned).
        binned: The features' bins, in the order of the columns.

    Returns:
        Shape (n, n_binned); positive is safer.
    """
    woe = np.empty(x.shape)
    for column, item in enumerate(binned):
        values = np.ascontiguousarray(x[:, column])
        woe[:, column] = item.woes[locate_bins(values, item.edges)]
    return woe


def drop_correlated(
    woe: Values, names: Sequence[str], *, max_correlation: float
) -> dict[int, str]:
    """Find columns that repeat an earlier one.

    Args:
        woe: Weights of evidence, the most informative column first.
        names: Names of the columns.
        max_correlation: Largest absolute Pearson correlation of two columns.

    Returns:
        Column -> why it is left out.
    """
    correlation = np.abs(np.atleast_2d(np.corrcoef(woe, rowvar=False)))
    kept: list[int] = []
    left_out: dict[int, str] = {}
    for column in range(woe.shape[1]):
        repeats = [k for k in kept if correlation[column, k] > max_correlation]
        if not repeats:
            kept.append(column)
            continue
        nearest = max(repeats, key=lambda k: float(correlation[column, k]))
        left_out[column] = (
            f"repeats {names[nearest]}, which is more informative: correlation "
            f"{correlation[column, nearest]:.2f} is above {max_correlation:.2f}"
        )
    return left_out


def fit_weights(
    woe: Values, bad: Values, *, columns: Sequence[int], c: float
) -> Weights:
    """Fit a logistic regression, leaving out features of the wrong sign.

    A higher weight of evidence is safer, so a coefficient for the log-odds of
    bad must be below 0. While some are not, the most wrong one is left out and
    the rest is fitted again.

    Args:
        woe: Weights of evidence, shape (n, n_binned).
        bad: 1 for bad, 0 for good, shape (n,).
        columns: Columns to start from.
        c: Inverse strength of the L2 regularisation.

    Raises:
        TrainingError: If no feature keeps the right sign.

    Source: Siddiqi, Credit Risk Scorecards (2006), chapter 6, Regression.
    """
    kept = list(columns)
    left_out: dict[int, str] = {}
    while kept:
        model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-6)
        # One thread adds in one order, whatever the machine; these matrices are
        # so small that more threads only wait for each other.
        with threadpool_limits(1):
            model.fit(woe[:, kept], bad)
        coefficients = np.round(model.coef_[0], _DECIMALS)
        worst = int(coefficients.argmax())
        if coefficients[worst] < 0:
            return Weights(
                columns=tuple(kept),
                coefficients=tuple(coefficients.tolist()),
                intercept=round(float(model.intercept_[0]), _DECIMALS),
                left_out=left_out,
            )
        left_out[kept.pop(worst)] = (
            "reversed sign beside the other features: coefficient "
            f"{coefficients[worst]:+.4f}, expected below 0"
        )
    raise TrainingError(
        f"none of {len(columns)} features keeps a coefficient of the right sign"
    )
