"""What a search for less discriminatory alternatives measures.

The protected attribute is looked at here to measure; no model is offered it.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.bootstrap import (
    BootstrapParameters,
    percentile_interval,
    resampling_weights,
)
from credit_scoring.evaluation.discrimination import roc_auc
from credit_scoring.evaluation.measures import Measure

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


def least_impact_ratio(
    members: Mapping[str, Flags], approved: Flags, weights: Values | None = None
) -> Values:
    """Lowest approval rate of a group over the highest one of a group.

    Args:
        members: Group -> who belongs to it, each of shape (n,).
        approved: Shape (n,).
        weights: Shape (n_sets, n); one set of ones by default.

    Returns:
        Shape (n_sets,), in [0, 1]; NaN if nobody is approved, or a group has no
        weight.

    Source: 29 CFR 1607.4(D), Uniform Guidelines on Employee Selection Procedures.
    """
    sets = np.ones((1, len(approved))) if weights is None else weights
    groups = [belongs.astype(np.float64) for belongs in members.values()]
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = np.array(
            [(sets @ (group * approved)) / (sets @ group) for group in groups]
        )
        found: Values = rates.min(axis=0) / rates.max(axis=0)
    return found


def impact_ratio_gain(
    members: Mapping[str, Flags],
    approved: Flags,
    other: Flags,
    *,
    bootstrap: BootstrapParameters,
) -> Measure:
    """How much higher the impact ratio is than another policy's, same applicants.

    Args:
        members: Group -> who belongs to it, each of shape (n,).
        approved: By the policy in question, shape (n,).
        other: By the one it is compared with, shape (n,).
        bootstrap: How to resample applicants; both are resampled together.

    Raises:
        EvaluationError: If a group is so small that resamples miss it.
    """
    value = least_impact_ratio(members, approved) - least_impact_ratio(members, other)
    gains = [
        least_impact_ratio(members, approved, weights)
        - least_impact_ratio(members, other, weights)
        for weights in resampling_weights(len(approved), bootstrap)
    ]
    interval = percentile_interval(np.concatenate(gains), level=bootstrap.level)
    return Measure(float(value[0]), interval.low, interval.high)


def proxy_strengths(
    x: Values, members: Mapping[str, Flags], score: Values, *, bins: int
) -> Values:
    """How well each feature tells the groups apart among equal scores.

    Within each bin of the score the distance of the feature's AUC for the group
    from one half is taken, whichever way it points, and averaged over bins by
    their rows; of several groups the one that is told apart best counts.

    Args:
        x: Feature matrix, shape (n, n_features); NaN is missing, below any value.
        members: Group -> who belongs to it, each of shape (n,).
        score: Points, shape (n,).
        bins: Bins of equal frequency of the score.

    Returns:
        Shape (n_features,), in [0, 1]; 0 says nothing about the group that the
        score does not say, 1 gives it away.
    """
    edges = np.quantile(score, np.arange(1, bins) / bins)
    place = np.searchsorted(edges, score, side="left")
    filled = np.where(np.isnan(x), -np.inf, x)
    # The order is all that counts, and a place in it is finite.
    known = np.empty_like(x)
    for feature in range(x.shape[1]):
        _, known[:, feature] = np.unique(filled[:, feature], return_inverse=True)
    strongest = np.zeros(x.shape[1])
    for belongs in members.values():
        strength, rows = np.zeros(x.shape[1]), 0
        for k in range(bins):
            inside = place == k
            group = belongs[inside].astype(np.float64)
            if not inside.any() or group.min() == group.max():
                continue
            part = known[inside]
            rows += len(part)
            strength += len(part) * np.array(
                [abs(2 * roc_auc(column, group) - 1) for column in part.T]
            )
        if rows:
            strongest = np.maximum(strongest, strength / rows)
    return strongest


def undominated(points: Values) -> Flags:
    """Say which points no other beats in one respect without losing in another.

    Args:
        points: Shape (n, n_respects), higher is better; a NaN is always beaten.

    Returns:
        Shape (n,); of equal points each counts.

    Raises:
        EvaluationError: If there is no point.
    """
    if not len(points):
        raise EvaluationError("no points to draw a frontier of")
    known = ~np.any(np.isnan(points), axis=1)
    no_worse = np.all(points[:, None, :] >= points[None, :, :], axis=2)
    better = np.any(points[:, None, :] > points[None, :, :], axis=2)
    beaten = np.any(no_worse & better & known[:, None], axis=0)
    found: Flags = known & ~beaten
    return found
