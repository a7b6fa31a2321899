"""Performance that calibrated PDs expect of themselves, before outcomes are known."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.sample import check_pds

Values = NDArray[np.float64]
Counts = NDArray[np.int64]

ASSUMPTIONS = (
    "the PDs are calibrated for these very applicants: if the relation between "
    "features and default has changed, this estimate does not see it",
    "applicants differ in their features alone (covariate shift), within the range "
    "that the model was trained on",
    "all applications count, the declined included, so it is not the performance on "
    "the booked loans that outcomes will show",
)


@dataclass(frozen=True)
class ExpectedPerformance:
    """What PDs say of themselves.

    Attributes:
        rows: Applications.
        bad_rate: Expected share of bads.
        bad_rate_error: Its standard deviation if the PDs are right.
        brier: Expected Brier score.
        auc: Expected area under the ROC curve.
    """

    rows: int
    bad_rate: float
    bad_rate_error: float
    brier: float
    auc: float


def expected_performance(pd_: Values, counts: Counts) -> ExpectedPerformance:
    """Expect outcomes drawn with the PDs themselves.

    Args:
        pd_: Distinct PDs in any order, shape (n,), in (0, 1).
        counts: Applications with each of them, shape (n,).

    Returns:
        The measures of expected confusion matrices: an application with PD p is
        p bads and 1 - p goods.

    Raises:
        EvaluationError: If a PD is not in (0, 1), or there is no application.

    Source: Bialek, Berrevoets et al., Estimating Model Performance Under
        Covariate Shift Without Labels (2024), arXiv:2401.08348, section 3, CBPE.
    """
    check_pds(pd_)
    rows = int(counts.sum())
    if not rows:
        raise EvaluationError("no application to expect anything of")
    order = np.argsort(pd_, kind="stable")
    p, n = pd_[order], counts[order].astype(np.float64)
    bads, goods = n * p, n * (1 - p)
    # A bad beats the goods of lower PDs, and half of those of its own.
    beaten = np.cumsum(goods) - goods / 2
    variance = float((n * p * (1 - p)).sum())
    return ExpectedPerformance(
        rows=rows,
        bad_rate=float(bads.sum() / rows),
        bad_rate_error=sqrt(variance) / rows,
        brier=variance / rows,
        auc=float((bads * beaten).sum() / (bads.sum() * goods.sum())),
    )
