"""Decisions: what is answered for an application, as columns and as rows."""

from enum import IntEnum

import msgspec
import numpy as np
from numpy.typing import NDArray


class Outcome(IntEnum):
    """A decision by severity: of several, the most severe one holds."""

    APPROVE = 0
    REFER = 1
    DECLINE = 2

    @property
    def label(self) -> str:
        """The word used in answers, records and parameters."""
        return _LABELS[self]

    @classmethod
    def from_label(cls, label: str) -> "Outcome":
        """Read the word used in answers, records and parameters.

        Raises:
            ValueError: If the word is none of approve, refer, decline.
        """
        if label not in _LABELS:
            raise ValueError(f"{label!r} is none of {', '.join(_LABELS)}")
        return cls(_LABELS.index(label))


_LABELS = ("approve", "refer", "decline")

MOST_REASONS = 4


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One factor that lowered a score, or one rule of the policy that spoke.

    Attributes:
        code: Stable code of the reason group or rule.
        feature: For a group the feature that lowered the score most, for a
            rule what it looked at; None where no single value is the cause.
        text: Plain sentence, as an applicant would read it.
        points: Points of the score, below 0; None for a rule, which costs none.
    """

    code: str
    feature: str | None
    text: str
    points: float | None


class Decision(msgspec.Struct, frozen=True):
    """The decision on one application.

    Attributes:
        pd: Probability of default in (0, 1); None if it was not computed.
        score: Points, rounded to a tenth: the number that the cut-offs and
            bands were compared with; None if it was not computed.
        band: Code of the band that the score falls in; None without a score.
        decision: ``approve``, ``refer`` or ``decline``.
        reasons: Up to four, the strongest first.
        margin: Uncalibrated log-odds of bad; None if it was not computed.
        features: The feature row that gave it, NaN where a value is missing;
            None together with `margin`.
    """

    pd: float | None
    score: float | None
    band: str | None
    decision: str
    reasons: tuple[Reason, ...]
    margin: float | None = None
    features: list[float] | None = None


class Decisions(msgspec.Struct, frozen=True, eq=False):
    """The decisions on many applications, in their order.

    Attributes:
        features: Feature matrix, shape (n, n_features).
        margin: Uncalibrated log-odds of bad, shape (n,).
        pd_: Probabilities of default, shape (n,), in (0, 1).
        score: Points rounded to a tenth, shape (n,).
        band: Index into `band_codes`, shape (n,).
        outcome: Values of `Outcome`, shape (n,).
        reasons: For each application up to four, the strongest first.
        band_codes: Codes of the policy's bands, the safest first.
    """

    features: NDArray[np.float64]
    margin: NDArray[np.float64]
    pd_: NDArray[np.float64]
    score: NDArray[np.float64]
    band: NDArray[np.int64]
    outcome: NDArray[np.int64]
    reasons: list[tuple[Reason, ...]]
    band_codes: tuple[str, ...]

    def __len__(self) -> int:
        """Count the applications."""
        return len(self.margin)

    def row(self, index: int) -> Decision:
        """Give the decision on one application."""
        return Decision(
            pd=self.pd_.item(index),
            score=self.score.item(index),
            band=self.band_codes[self.band.item(index)],
            decision=_LABELS[self.outcome.item(index)],
            reasons=self.reasons[index],
            margin=self.margin.item(index),
            features=self.features[index].tolist(),
        )

    def rows(self) -> list[Decision]:
        """Give the decision on each application."""
        return [
            Decision(pd_, score, self.band_codes[band], _LABELS[outcome], *rest)
            for pd_, score, band, outcome, *rest in zip(
                self.pd_.tolist(),
                self.score.tolist(),
                self.band.tolist(),
                self.outcome.tolist(),
                self.reasons,
                self.margin.tolist(),
                self.features.tolist(),
                strict=True,
            )
        ]
