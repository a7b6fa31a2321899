"""Reasons: which factors lowered a score, by how many points, in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled
from credit_scoring.decision.decisions import Reason
from credit_scoring.errors import PolicyError

MOST_REASONS = 4


@compiled
def strongest_groups(
    contributions: NDArray[np.float64],
    points_per_unit: float,
    group_of_feature: NDArray[np.int64],
    n_groups: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Rank the reason groups that lowered each score.

    A group's points are the sum over its features, so that what lowers the
    score here and raises it there counts once. Points are rounded to a tenth,
    as scores are. The group that lowered the score most counts at least a
    tenth; others that round to nothing are left out. Equal points go by the
    group's number, which is the order of the codes.

    Args:
        contributions: Shapley values of the margin, shape (n, n_features);
            positive is riskier.
        points_per_unit: Points of the score for one unit of margin, above 0.
        group_of_feature: Number of each feature's group, shape (n_features,).
        n_groups: Count of groups.

    Returns:
        Groups, the feature that lowered the score most in each (the first of
        equals), and points; each of shape (n, 4). Unused places hold -1, -1, 0.
    """
    rows, n_features = contributions.shape
    groups = np.full((rows, MOST_REASONS), -1, dtype=np.int64)
    features = np.full((rows, MOST_REASONS), -1, dtype=np.int64)
    points = np.zeros((rows, MOST_REASONS))
    total = np.empty(n_groups)
    worst = np.empty(n_groups, dtype=np.int64)
    for row in range(rows):
        total[:] = 0.0
        worst[:] = -1
        for feature in range(n_features):
            group = group_of_feature[feature]
            total[group] += contributions[row, feature]
            known = worst[group]
            if known < 0 or contributions[row, feature] > contributions[row, known]:
                worst[group] = feature
        top = 0
        for group in range(n_groups):
            if total[group] > total[top]:
                top = group
        for group in range(n_groups):
            lost = np.rint(total[group] * points_per_unit * 10.0) / 10.0
            if group == top and total[group] > 0.0:
                lost = max(lost, 0.1)
            place = MOST_REASONS
            while place > 0 and lost > -points[row, place - 1]:
                place -= 1
            for later in range(MOST_REASONS - 1, place, -1):
                groups[row, later] = groups[row, later - 1]
                features[row, later] = features[row, later - 1]
                points[row, later] = points[row, later - 1]
            if place < MOST_REASONS:
                groups[row, place] = group
                features[row, place] = worst[group]
                points[row, place] = -lost
    return groups, features, points


@dataclass(frozen=True)
class ReasonGroups:
    """The reason groups of a model's features.

    Attributes:
        features: Names of the features, in the matrix's order.
        codes: Reason code of each feature.
        texts: Reason code -> plain sentence.
    """

    features: tuple[str, ...]
    codes: tuple[str, ...]
    texts: Mapping[str, str]

    def __post_init__(self) -> None:
        """Make sure that every feature has a reason with a sentence.

        Raises:
            PolicyError: If a feature has no code, or its code no sentence.
        """
        if len(self.codes) != len(self.features):
            raise PolicyError(
                f"{len(self.features)} features have {len(self.codes)} reason codes"
            )
        silent = [
            name
            for name, code in zip(self.features, self.codes, strict=True)
            if not self.texts.get(code)
        ]
        if silent:
            raise PolicyError(
                f"{len(silent)} features without a reason text, "
                f"first {', '.join(silent[:5])}"
            )

    @cached_property
    def ordered(self) -> tuple[str, ...]:
        """The codes, each once, in the order that breaks ties."""
        return tuple(sorted(set(self.codes)))

    @cached_property
    def group_of_feature(self) -> NDArray[np.int64]:
        """Number of each feature's group in `ordered`."""
        return np.array([self.ordered.index(code) for code in self.codes], np.int64)

    def explain(
        self, contributions: NDArray[np.float64], points_per_unit: float
    ) -> list[tuple[Reason, ...]]:
        """Name up to four groups that lowered each score, the strongest first.

        Args:
            contributions: Shapley values of the margin, shape (n, n_features).
            points_per_unit: Points of the score for one unit of margin.

        Returns:
            Reasons for each row; none where nothing lowered the score.
        """
        groups, features, points = strongest_groups(
            contributions, points_per_unit, self.group_of_feature, len(self.ordered)
        )
        return [
            self._named(*row)
            for row in zip(
                groups.tolist(), features.tolist(), points.tolist(), strict=True
            )
        ]

    def _named(
        self, groups: Sequence[int], features: Sequence[int], points: Sequence[float]
    ) -> tuple[Reason, ...]:
        named = []
        for group, feature, lost in zip(groups, features, points, strict=True):
            if group < 0:
                break
            code = self.ordered[group]
            named.append(Reason(code, self.features[feature], self.texts[code], lost))
        return tuple(named)
