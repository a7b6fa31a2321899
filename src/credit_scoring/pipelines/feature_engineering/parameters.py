"""Parameters of the feature engineering pipeline."""

import math
from datetime import date
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SPLITS = ("train", "validation", "calibration", "test")


class SplitShares(BaseModel):
    """Share of the rows in each split; together they are everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: float = Field(gt=0, lt=1)
    validation: float = Field(gt=0, lt=1)
    calibration: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = math.fsum(getattr(self, split) for split in SPLITS)
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            raise ValueError(f"the shares of the splits add to {total}; expected 1")
        return self


class OutOfTime(BaseModel):
    """First day of each split after train; what is earlier is train."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    validation_from: date
    calibration_from: date
    test_from: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = (self.validation_from, self.calibration_from, self.test_from)
        if any(later <= earlier for earlier, later in pairwise(days)):
            raise ValueError(
                "out_of_time dates must rise: validation, calibration, test"
            )
        return self


class SplitParameters(BaseModel):
    """How rows are split.

    Attributes:
        salt: Another salt gives another, independent split.
        shares: Shares of a split by salted hash of the id.
        out_of_time: Split by date instead; needs a date in the contract.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    salt: str = Field(min_length=1)
    shares: SplitShares
    out_of_time: OutOfTime | None = None


class FeatureEngineeringParameters(BaseModel):
    """Which features are computed, and how rows are split.

    Attributes:
        feature_set: Module in `credit_scoring.features` that defines them.
        split: How rows are split.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature_set: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    split: SplitParameters
