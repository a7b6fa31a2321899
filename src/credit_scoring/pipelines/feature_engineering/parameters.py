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
    """Splits by date: train is what is earliest, test what is latest.

    Attributes:
        validation_from: First day of validation, which lies after train then.
        validation_share: Or the share of the applications before
            ``calibration_from`` that is validation, by salted hash of the id:
            train then reaches to the last day before it.
        calibration_from: First day of calibration.
        test_from: First day of test.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    validation_from: date | None = None
    validation_share: float | None = Field(default=None, gt=0, lt=1)
    calibration_from: date
    test_from: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (self.validation_from is None) == (self.validation_share is None):
            raise ValueError(
                "out_of_time needs validation_from or validation_share, not both"
            )
        days = (self.validation_from, self.calibration_from, self.test_from)
        said = [day for day in days if day is not None]
        if any(later <= earlier for earlier, later in pairwise(said)):
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


class LeakageParameters(BaseModel):
    """When a single feature is too good to be known before the decision.

    Attributes:
        maximum_auc: A run stops if the interval of a feature's own AUC on train
            lies above this as a whole.
        level: Of the interval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    maximum_auc: float = Field(default=0.80, gt=0.5, le=1)
    level: float = Field(default=0.95, gt=0, lt=1)


class FeatureEngineeringParameters(BaseModel):
    """Which features are computed, and how rows are split.

    Attributes:
        feature_set: Module in `credit_scoring.features` that defines them.
        split: How rows are split.
        leakage: When a feature is too good to be true.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature_set: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    split: SplitParameters
    leakage: LeakageParameters = LeakageParameters()
