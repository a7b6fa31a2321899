"""How much one feature alone tells goods from bads, and how surely."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from credit_scoring.evaluation.discrimination import roc_auc

Values = NDArray[np.float64]


@dataclass(frozen=True)
class FeaturePower:
    """Power of one feature.

    Attributes:
        auc: Area under the ROC curve of the feature by itself, 0.5 to 1; which
            end of it is the riskier one does not matter.
        low: Lower end of its interval.
        high: Upper end of its interval.
        share_missing: Share of the applications in which it is missing.
    """

    auc: float
    low: float
    high: float
    share_missing: float


def feature_power(values: Values, bad: Values, *, level: float = 0.95) -> FeaturePower:
    """Measure a feature as if it were a score, in its better direction.

    A missing value counts as lower than all others, or as higher, whichever tells
    more: what is filled in only for the bad ones tells much by being there.

    Args:
        values: The feature, shape (n,); NaN where it is missing.
        bad: 1 for bad, 0 for good, shape (n,).
        level: Of the interval.

    Raises:
        EvaluationError: If there is only one outcome.
    """
    missing = np.isnan(values)
    present = values[~missing]
    # Missing everywhere, all are equal.
    ends = (present.min() - 1.0, present.max() + 1.0) if len(present) else (0.0,)
    found = [roc_auc(np.where(missing, end, values), bad) for end in ends]
    auc = max(max(one, 1.0 - one) for one in found)
    low, high = auc_interval(
        auc, bads=int(bad.sum()), goods=int(len(bad) - bad.sum()), level=level
    )
    return FeaturePower(auc, low, high, float(missing.mean()))


def auc_interval(
    auc: float, *, bads: int, goods: int, level: float
) -> tuple[float, float]:
    """Interval of an AUC from the counts alone, within [0, 1].

    Source: Hanley & McNeil, The meaning and use of the area under a receiver
    operating characteristic (ROC) curve, Radiology 143 (1982), 29-36, formula 2.
    """
    bad_pairs = auc / (2.0 - auc) - auc**2
    good_pairs = 2.0 * auc**2 / (1.0 + auc) - auc**2
    spread = auc * (1.0 - auc) + (bads - 1) * bad_pairs + (goods - 1) * good_pairs
    width = NormalDist().inv_cdf(0.5 + level / 2.0) * math.sqrt(
        max(spread, 0.0) / (bads * goods)
    )
    return max(auc - width, 0.0), min(auc + width, 1.0)
