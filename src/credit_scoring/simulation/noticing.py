"""Noticing drift: windows of decisions against the champion's reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_scoring.evaluation.shift import chance_of_shift, holm

Values = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Reference:
    """What scores and features were like in training.

    Attributes:
        names: ``score``, then the features.
        edges: Bin edges of each.
        counts: Training applications by bin, the missing last, of each.
    """

    names: tuple[str, ...]
    edges: tuple[Values, ...]
    counts: tuple[Codes, ...]

    @classmethod
    def of_artifact(
        cls, described: Mapping[str, Any], features: tuple[str, ...]
    ) -> "Reference":
        """Take it from an artifact's reference distributions."""
        each = [described["score"], *(described["features"][name] for name in features)]
        rows = described["rows"]
        return cls(
            ("score", *features),
            tuple(np.array(one["edges"], np.float64) for one in each),
            tuple(
                np.rint(np.array([*one["shares"], one["missing"]]) * rows).astype(
                    np.int64
                )
                for one in each
            ),
        )

    def codes(self, score: Values, features: Values) -> Codes:
        """Give the bin of each value.

        Args:
            score: Shape (n,).
            features: Shape (n, n_features).

        Returns:
            Shape (n, 1 + n_features); the missing have the last bin.
        """
        columns = [score, *features.T]
        found = np.empty((score.size, len(columns)), np.int64)
        for place, (values, edges) in enumerate(zip(columns, self.edges, strict=True)):
            found[:, place] = np.searchsorted(edges, values, side="right")
            found[np.isnan(values), place] = edges.size + 1
        return found


@dataclass(frozen=True)
class Window:
    """One window of decisions.

    Attributes:
        end: Count of decisions up to its end.
        p_value: Smallest of score and features, corrected by Holm for their number.
        name: Which of them it is of.
    """

    end: int
    p_value: float
    name: str


def look_at_windows(codes: Codes, reference: Reference, *, size: int) -> list[Window]:
    """Judge each full window of decisions by itself.

    Args:
        codes: As `Reference.codes` gives them, in the order of the decisions.
        reference: What they are compared with.
        size: Decisions in a window.
    """
    windows = []
    for end in range(size, len(codes) + 1, size):
        part = codes[end - size : end]
        chances = np.array(
            [
                chance_of_shift(
                    expected, np.bincount(part[:, place], minlength=expected.size)
                )
                for place, expected in enumerate(reference.counts)
            ]
        )
        corrected = holm(chances)
        least = int(corrected.argmin())
        windows.append(Window(end, float(corrected[least]), reference.names[least]))
    return windows


def first_alarm(
    windows: list[Window], *, alpha: float, after: int = 0
) -> Window | None:
    """Find the first window that is further away than chance explains.

    Args:
        windows: In order.
        alpha: Chance that a window without drift is.
        after: Windows that end earlier than this many decisions are passed over.
    """
    return next((w for w in windows if w.end > after and w.p_value < alpha), None)
