import numpy as np
import pytest
from pydantic import ValidationError

from credit_scoring.decision.calibration import Calibration


def test_calibration_is_a_straight_line() -> None:
    log_odds = Calibration(slope=2.0, intercept=-1.0).log_odds(np.array([0.0, 1.5]))
    assert log_odds.tolist() == [-1.0, 2.0]


@pytest.mark.parametrize("slope", [0.0, -1.0, float("nan"), float("inf")])
def test_a_slope_that_loses_the_order_of_risk_is_refused(slope: float) -> None:
    with pytest.raises(ValidationError, match="slope"):
        Calibration(slope=slope, intercept=0.0)
