"""What every measure asks of its data, checked in one place."""

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError

Values = NDArray[np.float64]


def check_sample(values: Values, bad: Values, *, what: str) -> None:
    """Refuse data for which a measure of risk against outcome is not defined.

    Args:
        values: What is measured, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        what: Names the values in the message, e.g. ``PDs``.

    Raises:
        EvaluationError: If lengths differ, a value is NaN, an outcome is
            neither 0 nor 1, or all outcomes are the same.
    """
    check_values(values, what=what)
    if values.shape != bad.shape:
        raise EvaluationError(
            f"{values.size} {what} for {bad.size} outcomes; expected as many"
        )
    odd = ~((bad == 0) | (bad == 1))
    if odd.any():
        raise EvaluationError(
            f"{int(odd.sum())} of {bad.size} outcomes are neither 0 nor 1; "
            f"first at row {int(odd.argmax())}"
        )
    if bad.size == 0 or bad.min() == bad.max():
        raise EvaluationError(
            f"{bad.size} outcomes with {int(bad.sum())} bads; expected goods and bads"
        )


def check_values(values: Values, *, what: str) -> None:
    """Refuse values that are not a column of numbers.

    Raises:
        EvaluationError: If there is more than one dimension, or a NaN.
    """
    if values.ndim != 1:
        raise EvaluationError(f"{what} of shape {values.shape}; expected one column")
    unknown = np.isnan(values)
    if unknown.any():
        raise EvaluationError(
            f"{int(unknown.sum())} of {values.size} {what} are NaN; "
            f"first at row {int(unknown.argmax())}"
        )


def check_pds(pd_: Values) -> None:
    """Refuse probabilities that are not in (0, 1).

    Raises:
        EvaluationError: If a PD is 0 or below, or 1 or above.
    """
    outside = (pd_ <= 0) | (pd_ >= 1)
    if outside.any():
        raise EvaluationError(
            f"{int(outside.sum())} of {pd_.size} PDs are not in (0, 1); "
            f"first at row {int(outside.argmax())}"
        )


def unit_weights(weights: Values | None, rows: int) -> Values:
    """Give the weights as a matrix, one row for each set of weights.

    Args:
        weights: Shape (rows,), or None for one each.
        rows: Number of applications.

    Returns:
        Shape (1, rows).

    Raises:
        EvaluationError: If the weights are of another length, or one is
            negative, NaN or infinite.
    """
    if weights is None:
        return np.ones((1, rows))
    if weights.shape != (rows,):
        raise EvaluationError(f"{weights.size} weights for {rows} rows")
    if not np.all((weights >= 0) & np.isfinite(weights)):
        raise EvaluationError("a weight is negative, NaN or infinite")
    return weights[None, :].astype(np.float64)
