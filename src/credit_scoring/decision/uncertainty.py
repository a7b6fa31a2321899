"""What a model is not sure of: an interval of each PD, and who is unlike all it saw."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Values = NDArray[np.float64]

LOW, HIGH, MISSING = range(3)


class PdInterval(msgspec.Struct, frozen=True, gc=False):
    """Where the bad rate of applicants with this margin lies.

    Attributes:
        low: Lower end, in [0, 1), at most the PD.
        high: Upper end, in (0, 1], at least the PD.
        level: How often such an interval holds the bad rate, at least; in (0, 1).
    """

    low: float
    high: float
    level: float


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PdIntervals(_Table):
    """Intervals of the PD by margin, as steps.

    Attributes:
        level: See `PdInterval`.
        window_rows: Calibration applications on each side that an end rests on.
        margins: Where the ends change, strictly rising, shape (n,).
        low: Lower ends, never falling, shape (n + 1,): below the first margin,
            from each margin on.
        high: Upper ends, never falling, shape (n + 1,).
    """

    level: float = Field(gt=0, lt=1)
    window_rows: int = Field(ge=1)
    margins: tuple[float, ...] = Field(min_length=1)
    low: tuple[float, ...]
    high: tuple[float, ...]

    @model_validator(mode="after")
    def _steps_are_in_order(self) -> Self:
        steps = len(self.margins) + 1
        if not len(self.low) == len(self.high) == steps:
            raise ValueError(f"{steps - 1} margins need {steps} lower and upper ends")
        if any(np.diff(self.margins) <= 0):
            raise ValueError("margins do not rise")
        ends = np.array([self.low, self.high])
        if (np.diff(ends) < 0).any() or (ends[0] > ends[1]).any():
            raise ValueError("ends fall, or a lower end is above its upper one")
        if ends.min() < 0 or ends.max() > 1:
            raise ValueError("ends are not in [0, 1]")
        return self

    def at(self, margin: float, pd_: float) -> PdInterval:
        """Give the interval of one PD; wide enough to hold the PD itself.

        Args:
            margin: Uncalibrated log-odds of bad.
            pd_: The PD that was made of it.
        """
        step = bisect_right(self.margins, margin)
        return PdInterval(
            min(self.low[step], pd_), max(self.high[step], pd_), self.level
        )


class FeatureRange(_Table):
    """Values of one feature in training.

    Attributes:
        low: Lowest.
        high: Highest.
        missing: Whether it was ever missing.
    """

    low: float
    high: float
    missing: bool

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class Uncertainty(_Table):
    """What was found out about a candidate's limits when it was made.

    Attributes:
        pd_intervals: Intervals of the PD.
        ranges: Feature that the model uses -> its range in training.
    """

    pd_intervals: PdIntervals
    ranges: dict[str, FeatureRange]

    def ranges_of(self, features: Sequence[str]) -> Values:
        """Lay the ranges out for the decision's kernel.

        Args:
            features: Names of the feature matrix's columns.

        Returns:
            Shape (3, n_features): lowest, highest, and 1 if a missing value is
            known, else 0. A feature that the model does not use has any value.
        """
        table = np.empty((3, len(features)))
        for place, name in enumerate(features):
            known = self.ranges.get(name)
            table[:, place] = (
                (-np.inf, np.inf, 1)
                if known is None
                else (known.low, known.high, known.missing)
            )
        return table


def places_outside(x: Values, ranges: Values) -> list[int]:
    """Name the places of one row's features that lie outside the training range.

    Args:
        x: Feature row, shape (n_features,); NaN is missing.
        ranges: See `Uncertainty.ranges_of`.
    """
    missing = np.isnan(x)
    outside = (x < ranges[LOW]) | (x > ranges[HIGH]) | (missing & (ranges[MISSING] < 1))
    places: list[int] = np.flatnonzero(outside).tolist()
    return places
