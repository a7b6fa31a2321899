"""From the approval reference to one score: every factor, in points."""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from credit_scoring.decision.engine import DecisionEngine


class Factor(msgspec.Struct, frozen=True, gc=False):
    """What one reason group does to a score.

    Attributes:
        code: Code of the reason group.
        text: Its sentence, which holds where the points are below 0.
        points: Points of the score, not rounded; below 0 it lowers the score.
    """

    code: str
    text: str
    points: float


class Breakdown(NamedTuple):
    """A score as the sum of its parts.

    Attributes:
        reference_score: Points of the applicants that reasons compare with: the
            score of the mean of their margins.
        factors: One for each reason group, the one that lowers the score most
            first. With the reference they sum to the score, before it is rounded.
    """

    reference_score: float
    factors: tuple[Factor, ...]


def break_down(engine: DecisionEngine, features: NDArray[np.float64]) -> Breakdown:
    """Take the score of one application apart.

    Args:
        engine: Decides; its model has a background.
        features: Feature row, shape (1, n_features).

    Raises:
        ArtifactError: If the model has no background.
    """
    groups, grading = engine.groups, engine.grading
    contributions = engine.model.contributions(features)[0]
    margin = engine.model.margin(features).item(0)
    lost = np.bincount(
        groups.group_of_feature,
        weights=contributions * engine.points_per_unit,
        minlength=len(groups.ordered),
    )
    slope, intercept, offset, factor = grading.line.tolist()
    log_odds = intercept + slope * (margin - float(contributions.sum()))
    factors = [
        Factor(code, groups.texts[code], -points)
        for code, points in zip(groups.ordered, lost.tolist(), strict=True)
    ]
    return Breakdown(
        reference_score=offset - factor * log_odds,
        factors=tuple(sorted(factors, key=lambda one: (one.points, one.code))),
    )
