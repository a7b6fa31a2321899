"""Reasons: which factors lowered a score, by how many points, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled
from credit_scoring.decision.decisions import MOST_REASONS, Reason
from credit_scoring.errors import PolicyError


@compiled
def strongest_groups(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    contributions: NDArray[np.float64],
    points_per_unit: float,
    group_of_feature: NDArray[np.int64],
    n_groups: int,
    strongest: NDArray[np.int64],
    points: NDArray[np.float64],
) -> None:
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
        strongest: Written here, shape (n, 4, 2): the group, and the feature that
            lowered the score most in it (the first of equals); -1 where unused.
        points: Written here, shape (n, 4): points of the score, 0 where unused.
    """
    rows, n_features = contributions.shape
    strongest[:] = -1
    points[:] = 0.0
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
                strongest[row, later] = strongest[row, later - 1]
                points[row, later] = points[row, later - 1]
            if place < MOST_REASONS:
                strongest[row, place, 0] = group
                strongest[row, place, 1] = worst[group]
                points[row, place] = -lost


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
        strongest = np.empty((len(contributions), MOST_REASONS, 2), np.int64)
        points = np.empty((len(contributions), MOST_REASONS))
        strongest_groups(
            contributions,
            points_per_unit,
            self.group_of_feature,
            len(self.ordered),
            strongest,
            points,
        )
        return [
            tuple(
                Reason(
                    self.ordered[group],
                    self.features[feature],
                    self._texts[group],
                    lost,
                )
                for (group, feature), lost in zip(places, of_row, strict=True)
                if group >= 0
            )
            for places, of_row in zip(strongest.tolist(), points.tolist(), strict=True)
        ]

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        return tuple(self.texts[code] for code in self.ordered)
