"""Calibration: from a model's margin to log-odds that mean what they say."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class Calibration(BaseModel):
    """A straight line from margin to calibrated log-odds of bad.

    Source: Platt, Probabilistic Outputs for Support Vector Machines (1999);
    Cox, Two Further Applications of a Model for Binary Regression (1958).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slope: float = Field(gt=0)
    intercept: float

    def log_odds(self, margin: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate margins.

        Args:
            margin: Uncalibrated log-odds of bad, shape (n,).

        Returns:
            Calibrated log-odds of bad, shape (n,), in the same order of risk.
        """
        return self.intercept + self.slope * margin
