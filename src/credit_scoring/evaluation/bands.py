"""Bands: where the bad rate lies at each margin, with a stated certainty."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from credit_scoring.evaluation.sample import check_sample

Values = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class RateBands:
    """A band around the bad rate as steps over the margin.

    Attributes:
        margins: Where the band changes, strictly rising, shape (n,).
        low: Lower ends, never falling, shape (n + 1,): below the first margin,
            from each margin on.
        high: Upper ends, never falling, shape (n + 1,).
    """

    margins: Values
    low: Values
    high: Values

    def at(self, margin: Values) -> tuple[Values, Values]:
        """Give the lower and the upper end at each margin, shape (n,) each."""
        step = np.searchsorted(self.margins, margin, side="right")
        return self.low[step], self.high[step]


def rate_bands(
    margin: Values, bad: Values, *, level: float, window_rows: int, steps: int
) -> RateBands:
    """Bound the bad rate at each margin from rows that the model did not see.

    The one assumption is that the bad rate does not fall as the margin rises.
    Then it is at a margin at least what it is in the window of rows just below,
    and at most what it is in the window just above, so the exact binomial limits
    of the two windows bound it: at any one margin the band holds the bad rate
    with at least the probability `level`, for samples of any size. Where the
    band is not monotone it is made so outwards, which can only widen it.

    Args:
        margin: Log-odds of bad, shape (n,), finite.
        bad: 1 for bad, 0 for good, shape (n,).
        level: Certainty at each margin, in (0, 1).
        window_rows: Rows on each side; more make narrower limits, and a band that
            follows the rate less closely. Choose it without these outcomes.
        steps: Most margins at which the band changes.

    Raises:
        EvaluationError: If lengths differ, a margin is NaN, or there is only one
            outcome.

    Source: Clopper & Pearson, The Use of Confidence or Fiducial Limits Illustrated
        in the Case of the Binomial (1934), Biometrika 26; Dimitriadis, Duembgen,
        Henzi, Puke & Ziegel, Honest Calibration Assessment for Binary Outcome
        Predictions (2023), Biometrika 110, section 2, for limits from windows
        under monotonicity.
    """
    check_sample(margin, bad, what="margins")
    order = np.argsort(margin, kind="stable")
    ranked = margin[order]
    bads = np.concatenate([[0.0], np.cumsum(bad[order])])
    shares = np.linspace(0, 1, steps)
    places = np.unique(np.quantile(ranked, shares, method="inverted_cdf"))
    tail = (1 - level) / 2
    end = np.searchsorted(ranked, places, side="right")
    start = np.maximum(0, end - window_rows)
    low = _lower_limit(bads[end] - bads[start], end - start, tail)
    start = np.searchsorted(ranked, places, side="left")
    end = np.minimum(len(ranked), start + window_rows)
    high = _upper_limit(bads[end] - bads[start], end - start, tail)
    # Nothing bounds the rate from below the lowest margin, or above the highest.
    low, high = np.append(0.0, low), np.append(high, 1.0)
    high = np.maximum.accumulate(high)
    return RateBands(
        places,
        low=np.minimum(np.minimum.accumulate(low[::-1])[::-1], high),
        high=high,
    )


def _lower_limit(events: Values, rows: Places, tail: float) -> Values:
    limit = beta.ppf(tail, np.maximum(events, 1), rows - events + 1)
    found: Values = np.where(events > 0, limit, 0.0)
    return found


def _upper_limit(events: Values, rows: Places, tail: float) -> Values:
    limit = beta.ppf(1 - tail, events + 1, np.maximum(rows - events, 1))
    found: Values = np.where(events < rows, limit, 1.0)
    return found
