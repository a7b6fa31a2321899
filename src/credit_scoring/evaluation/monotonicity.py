"""Monotonicity: whether declared directions hold where applicants are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError

Values = NDArray[np.float64]

_TWO = 2  # values of a feature: to move it takes that many


@dataclass(frozen=True)
class Monotonicity:
    """How the margin followed one feature.

    Attributes:
        feature: Its name.
        direction: +1 if the PD may only rise with it, -1 if it may only fall.
        moves: Steps that were tried, over all rows.
        wrong: Steps on which the margin went the wrong way.
        worst: Furthest it went so, in log-odds; 0 if it never did.
    """

    feature: str
    direction: int
    moves: int
    wrong: int
    worst: float


def check_directions(  # noqa: PLR0913 - the model, its rows, and how many of them
    margin: Callable[[Values], Values],
    x: Values,
    *,
    features: Sequence[str],
    directions: Sequence[int],
    rows: int = 200,
    values: int = 32,
) -> list[Monotonicity]:
    """Move each directed feature over its observed values, all else unchanged.

    Neighbouring values are compared: where no step between neighbours goes the
    wrong way, no two values do. A missing value has no place in the order, so
    it is neither moved to nor from.

    Args:
        margin: Feature rows to log-odds of bad.
        x: Feature rows of applicants, shape (n, n_features); NaN is missing.
        features: Names of the columns.
        directions: +1, -1 or 0 for each; of 0 nothing is asked.
        rows: Applicants to move, evenly spread over ``x``.
        values: Values to move to, quantiles of the observed ones.

    Returns:
        One entry for each feature with a direction, in their order; one whose
        values are all the same has no moves.

    Raises:
        EvaluationError: If there is no row, or not one direction a feature.
    """
    if not len(x) or not x.shape[1] == len(features) == len(directions):
        raise EvaluationError(
            f"rows of shape {x.shape} for {len(features)} features and "
            f"{len(directions)} directions; expected as many of each, and a row"
        )
    places = np.linspace(0, len(x) - 1, min(rows, len(x))).astype(np.int64)
    sample = x[places]
    return [
        _follow(margin, sample, column, (name, direction), _grid(x[:, column], values))
        for column, (name, direction) in enumerate(
            zip(features, directions, strict=True)
        )
        if direction
    ]


def _grid(column: Values, values: int) -> Values:
    known = column[~np.isnan(column)]
    if not known.size:
        return known
    levels = np.linspace(0, 1, values)
    found: Values = np.unique(np.quantile(known, levels, method="inverted_cdf"))
    return found


def _follow(
    margin: Callable[[Values], Values],
    sample: Values,
    column: int,
    declared: tuple[str, int],
    grid: Values,
) -> Monotonicity:
    name, direction = declared
    start = sample[~np.isnan(sample[:, column])]
    if grid.size < _TWO or not len(start):
        return Monotonicity(name, direction, 0, 0, 0.0)
    moved = np.repeat(start, grid.size, axis=0)
    moved[:, column] = np.tile(grid, len(start))
    steps = np.diff(margin(moved).reshape(len(start), grid.size), axis=1)
    against = -direction * steps
    return Monotonicity(
        feature=name,
        direction=direction,
        moves=int(steps.size),
        wrong=int((against > 0).sum()),
        worst=max(0.0, float(against.max())),
    )
