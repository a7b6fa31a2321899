"""A feature set of the tests."""

import numpy as np
from numpy.typing import NDArray

from credit_scoring.features.definition import FeatureSet, feature

Values = NDArray[np.float64]


@feature(direction=1, reason="DEBT")
def debt_ratio(debt: Values, limit: Values) -> Values:
    """Debt as a share of the limit."""
    return debt / limit


@feature(direction=1, reason="ARREARS")
def months_late(late: Values) -> Values:
    """Months that the account is overdue."""
    return late


FEATURE_SET = FeatureSet(
    name="small_set",
    features=(debt_ratio, months_late),
    reasons={"DEBT": "You owe much.", "ARREARS": "You paid late."},
    source="v1",
)
