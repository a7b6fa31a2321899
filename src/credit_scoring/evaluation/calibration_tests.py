"""Tests of calibration: could PDs this far off have come from right ones?

A test rejects what chance does not explain, so with enough rows it rejects any
model at all; `calibration_line` says how far off the PDs may be.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import (
    calibration_in_the_large,
    fit_recalibration,
    log_odds,
    losses,
)
from credit_scoring.evaluation.sample import check_pds, check_sample

Values = NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationTest:
    """What a test of calibration gives.

    Attributes:
        statistic: Standard normal for Spiegelhalter's, else chi-square.
        degrees: Degrees of freedom of the chi-square; 0 for a normal.
        p_value: Two-sided for a normal.
    """

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True)
class CalibrationLine:
    """Cox's recalibration line with its intervals.

    Attributes:
        slope: 1 is perfect; below 1 if the PDs are too extreme.
        slope_low: Lower end of its interval.
        slope_high: Upper end.
        intercept: Log-odds of bad where the predicted ones are 0; 0 is perfect.
        intercept_low: Lower end of its interval.
        intercept_high: Upper end.
        in_the_large: Shift of the log-odds that makes the mean PD equal to the
            bad rate, the slope held at 1; 0 is perfect, above 0 PDs are too low.
        in_the_large_low: Lower end of its interval.
        in_the_large_high: Upper end.
    """

    slope: float
    slope_low: float
    slope_high: float
    intercept: float
    intercept_low: float
    intercept_high: float
    in_the_large: float
    in_the_large_low: float
    in_the_large_high: float


def calibration_line(pd_: Values, bad: Values, *, level: float) -> CalibrationLine:
    """Fit log-odds of bad = intercept + slope * predicted log-odds.

    Args:
        pd_: Probability of default, shape (n,), in (0, 1).
        bad: 1 for bad, 0 for good, shape (n,).
        level: Coverage of the intervals, in (0, 1).

    Raises:
        EvaluationError: As `fit_recalibration`, or if a PD is not in (0, 1).

    Source: Cox, Two Further Applications of a Model for Binary Regression
        (1958), Biometrika 45, section 2; intervals by Wald, as in McCullagh &
        Nelder, Generalized Linear Models (1989), section 4.4.
    """
    margin = log_odds(pd_)
    fit = fit_recalibration(margin, bad)
    shift = calibration_in_the_large(pd_, bad)
    shifted = 0.5 + 0.5 * np.tanh(0.5 * (margin + shift))
    error = 1 / sqrt(float((shifted * (1 - shifted)).sum()))
    z = NormalDist().inv_cdf(0.5 + level / 2)
    return CalibrationLine(
        slope=fit.slope,
        slope_low=fit.slope - z * fit.slope_error,
        slope_high=fit.slope + z * fit.slope_error,
        intercept=fit.intercept,
        intercept_low=fit.intercept - z * fit.intercept_error,
        intercept_high=fit.intercept + z * fit.intercept_error,
        in_the_large=shift,
        in_the_large_low=shift - z * error,
        in_the_large_high=shift + z * error,
    )


def spiegelhalter(pd_: Values, bad: Values) -> CalibrationTest:
    """Ask whether the Brier score is what right PDs would have.

    It needs no bins, and no fit. Below 0 the PDs are too timid: outcomes lie
    closer to them than they claim.

    Args:
        pd_: Probability of default, shape (n,), in (0, 1).
        bad: 1 for bad, 0 for good, shape (n,).

    Raises:
        EvaluationError: If a PD is NaN or not in (0, 1), lengths differ, there
            is only one outcome, or every PD is one half.

    Source: Spiegelhalter, Probabilistic Prediction in Patient Management and
        Clinical Trials (1986), Statistics in Medicine 5, section 4.2: the
        standardised difference between Brier's score and its expectation.
    """
    check_sample(pd_, bad, what="PDs")
    check_pds(pd_)
    lean = 1 - 2 * pd_
    variance = float((lean * lean * pd_ * (1 - pd_)).sum())
    if variance == 0:
        raise EvaluationError(
            f"each of {pd_.size} PDs is one half: every outcome is as likely"
        )
    z = float(((bad - pd_) * lean).sum()) / sqrt(variance)
    return CalibrationTest(z, 0, 2 * NormalDist().cdf(-abs(z)))


def likelihood_ratio(pd_: Values, bad: Values) -> CalibrationTest:
    """Ask whether intercept 0 and slope 1 explain the outcomes as well as the best.

    Args:
        pd_: Probability of default, shape (n,), in (0, 1).
        bad: 1 for bad, 0 for good, shape (n,).

    Returns:
        Chi-square with 2 degrees of freedom.

    Raises:
        EvaluationError: As `calibration_line`.

    Source: Cox (1958), section 2, the joint hypothesis; Miller, Hui & Tierney,
        Validation Techniques for Logistic Regression Models (1991), Statistics
        in Medicine 10, section 3, by the likelihood ratio.
    """
    margin = log_odds(pd_)
    fit = fit_recalibration(margin, bad)
    refit = 0.5 + 0.5 * np.tanh(0.5 * (fit.intercept + fit.slope * margin))
    ratio = 2 * float(losses(pd_, bad).sum() - losses(refit, bad).sum())
    return _chi_square(max(0.0, ratio), 2)


def hosmer_lemeshow(pd_: Values, bad: Values, *, bins: int = 10) -> CalibrationTest:
    """Compare expected with observed bads in bins of equal frequency.

    Given because it is asked for. It should not decide alone: its verdict
    depends on how many bins there are and where they begin, it cannot see what
    cancels within a bin, and its power grows with the rows without a bound.

    Args:
        pd_: Probability of default, shape (n,), in (0, 1).
        bad: 1 for bad, 0 for good, shape (n,).
        bins: Number of bins; equal PDs share one, so there may be fewer.

    Returns:
        Chi-square with as many degrees of freedom as bins, as the PDs were not
        fitted on these rows.

    Raises:
        EvaluationError: If a PD is NaN or not in (0, 1), lengths differ, or
            there is only one outcome.

    Source: Hosmer & Lemeshow, Applied Logistic Regression (2000), section 5.2.2
        for the statistic and 5.3 for its degrees of freedom on other rows;
        Hosmer, Hosmer, Le Cessie & Lemeshow, A Comparison of Goodness-of-Fit
        Tests for the Logistic Regression Model (1997), Statistics in Medicine
        16, for what speaks against it.
    """
    check_sample(pd_, bad, what="PDs")
    check_pds(pd_)
    inner = np.unique(np.quantile(pd_, np.arange(1, bins) / bins))
    place = np.searchsorted(inner, pd_, side="left")
    rows, observed, expected = (
        np.bincount(place, weights=each) for each in (np.ones_like(pd_), bad, pd_)
    )
    filled = rows > 0
    rows, observed, expected = rows[filled], observed[filled], expected[filled]
    variance = expected * (1 - expected / rows)
    statistic = float(((observed - expected) ** 2 / variance).sum())
    return _chi_square(statistic, int(filled.sum()))


def _chi_square(statistic: float, degrees: int) -> CalibrationTest:
    return CalibrationTest(statistic, degrees, float(chdtrc(degrees, statistic)))
