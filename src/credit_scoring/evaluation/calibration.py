"""Calibration: how well probabilities of default agree with what happened."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.sample import check_pds, check_sample, unit_weights

Values = NDArray[np.float64]

_MAX_ITERATIONS = 60
_TOLERANCE = 1e-10
# In standardised units; keeps Newton's first steps from overshooting.
_LONGEST_STEP = 2.0


@dataclass(frozen=True)
class Recalibration:
    """log-odds of bad = intercept + slope * predicted log-odds, with its errors.

    Attributes:
        slope: 1 if the predictions are as spread as they should be; below 1 if
            they are too extreme.
        intercept: 0 if the predictions are right at even odds.
        slope_error: Standard error of the slope.
        intercept_error: Standard error of the intercept.
    """

    slope: float
    intercept: float
    slope_error: float
    intercept_error: float


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of the reliability table.

    Attributes:
        n: Applications in the bin.
        mean_pd: Their mean PD.
        bad_rate: Share of bads among them, in [0, 1].
        low: Lower bound of the bad rate's interval.
        high: Upper bound of the bad rate's interval.
    """

    n: int
    mean_pd: float
    bad_rate: float
    low: float
    high: float


def log_odds(pd_: Values) -> Values:
    """ln(PD / (1 - PD)), shape (n,).

    Raises:
        EvaluationError: If a PD is not in (0, 1).
    """
    check_pds(pd_)
    found: Values = np.log(pd_) - np.log1p(-pd_)
    return found


def brier(pd_: Values, bad: Values, weights: Values | None = None) -> float:
    """Mean squared distance of the PD from the outcome; lower is better.

    Args:
        pd_: Probability of default, shape (n,), in [0, 1].
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Weight of each application, shape (n,); one each by default.

    Raises:
        EvaluationError: If a PD is NaN, lengths differ, or there is only one
            outcome.

    Source: Brier, Verification of Forecasts Expressed in Terms of Probability
        (1950), Monthly Weather Review 78.
    """
    check_sample(pd_, bad, what="PDs")
    return _weighted_mean((pd_ - bad) ** 2, weights)


def log_loss(pd_: Values, bad: Values, weights: Values | None = None) -> float:
    """Mean negative log-likelihood of the outcomes; lower is better.

    Args:
        pd_: Probability of default, shape (n,), in (0, 1).
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Weight of each application, shape (n,); one each by default.

    Raises:
        EvaluationError: If a PD is NaN or not in (0, 1), lengths differ, or
            there is only one outcome.
    """
    check_sample(pd_, bad, what="PDs")
    return _weighted_mean(losses(pd_, bad), weights)


def losses(pd_: Values, bad: Values) -> Values:
    """Negative log-likelihood of each outcome, shape (n,).

    Raises:
        EvaluationError: If a PD is not in (0, 1).
    """
    check_pds(pd_)
    found: Values = -np.where(bad == 1, np.log(pd_), np.log1p(-pd_))
    return found


def _weighted_mean(values: Values, weights: Values | None) -> float:
    sets = unit_weights(weights, len(values))
    if not sets.sum():
        raise EvaluationError("all weights are 0")
    return float((sets[0] * values).sum() / sets.sum())


def fit_recalibration(
    margin: Values, bad: Values, weights: Values | None = None
) -> Recalibration:
    """Fit log-odds of bad = intercept + slope * margin by maximum likelihood.

    Args:
        margin: Predicted log-odds of bad, shape (n,), finite.
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Weight of each application, shape (n,); one each by default.

    Raises:
        EvaluationError: If a margin is NaN, lengths differ, there is only one
            outcome, the margin is constant, or it separates goods from bads so
            well that no finite slope is best.

    Source: Cox, Two Further Applications of a Model for Binary Regression
        (1958), Biometrika 45; Platt, Probabilistic Outputs for Support Vector
        Machines (1999).
    """
    check_sample(margin, bad, what="margins")
    sets = unit_weights(weights, len(margin))
    used = sets[0] > 0
    check_sample(margin[used], bad[used], what="weighted margins")
    _check_overlap(margin[used], bad[used])
    fit = recalibrate(margin, bad, sets)
    if not np.isfinite(fit[0]).all():
        raise EvaluationError(
            f"the recalibration of {len(margin)} margins did not converge"
        )
    slope, intercept = fit[0]
    errors = _standard_errors(margin, intercept + slope * margin, sets[0])
    return Recalibration(float(slope), float(intercept), *errors)


def shrunk_recalibration(margin: Values, bad: Values) -> Recalibration:
    """Recalibrate as far as the data are sure of it.

    The fitted slope is drawn towards 1 by the factor ``1 - 1 / z**2`` where z is
    its distance from 1 in standard errors, and to 1 if that is negative. So a
    slope that is noise is not mistaken for a fault of the margin, and one that
    is far off is corrected nearly in full. The intercept then makes the mean PD
    equal to the bad rate.

    Args:
        margin: Predicted log-odds of bad, shape (n,), finite.
        bad: 1 for bad, 0 for good, shape (n,).

    Returns:
        Slope and intercept; the errors are those of the fit before shrinkage.

    Raises:
        EvaluationError: As `fit_recalibration`.

    Source: Van Houwelingen & Le Cessie, Predictive Value of Statistical Models
        (1990), Statistics in Medicine 9, for the factor.
    """
    fit = fit_recalibration(margin, bad)
    away = fit.slope - 1
    kept = max(0.0, away * away - fit.slope_error**2)
    slope = 1 + kept / away if kept else 1.0
    intercept = _shift(slope * margin, bad, np.ones((1, len(bad))))
    return Recalibration(slope, intercept, fit.slope_error, fit.intercept_error)


def calibration_in_the_large(
    pd_: Values, bad: Values, weights: Values | None = None
) -> float:
    """Shift of the log-odds that makes the mean PD equal to the bad rate.

    Args:
        pd_: Probability of default, shape (n,), in (0, 1).
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Weight of each application, shape (n,); one each by default.

    Returns:
        0 if the mean PD is right, above 0 if PDs are too low.

    Raises:
        EvaluationError: As `log_loss`.
    """
    check_sample(pd_, bad, what="PDs")
    sets = unit_weights(weights, len(pd_))
    return _shift(log_odds(pd_), bad, sets)


def _shift(margin: Values, bad: Values, sets: Values) -> float:
    found = float(shift_to_bad_rate(margin, bad, sets)[0])
    if np.isnan(found):
        raise EvaluationError(
            f"no shift of {margin.size} PDs gives the bad rate, as their weights "
            "leave only one outcome or the search did not settle"
        )
    return found


def _check_overlap(margin: Values, bad: Values) -> None:
    if np.isinf(margin).any():
        raise EvaluationError(
            f"{int(np.isinf(margin).sum())} of {margin.size} margins are infinite"
        )
    if np.ptp(margin) == 0:
        raise EvaluationError("the margin is constant: it has no slope")
    goods, bads = margin[bad == 0], margin[bad == 1]
    if goods.max() <= bads.min() or bads.max() <= goods.min():
        raise EvaluationError(
            "the margin separates goods from bads perfectly: no finite slope fits best"
        )


def recalibrate(margin: Values, bad: Values, weights: Values) -> Values:
    """Fit slope and intercept for each set of weights, by Newton's method.

    Args:
        margin: Predicted log-odds of bad, shape (n,), finite and not constant.
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Shape (n_sets, n).

    Returns:
        Slope and intercept, shape (n_sets, 2); NaN where they do not exist.

    Source: McCullagh & Nelder, Generalized Linear Models (1989), section 4.4.
    """
    centre, spread = margin.mean(), margin.std()
    z = (margin - centre) / spread
    slope = np.zeros(len(weights))
    level = np.zeros(len(weights))
    settled = np.zeros(len(weights), bool)
    for _ in range(_MAX_ITERATIONS):
        step = _newton_step(z, bad, weights, (slope, level))
        slope, level = slope + step[0], level + step[1]
        settled = np.abs(step).max(axis=0) < _TOLERANCE
        if settled.all() or np.isnan(step).all():
            break
    slope, level = slope / spread, level - slope / spread * centre
    found = np.column_stack([slope, level])
    found[~settled] = np.nan
    return found


def _newton_step(
    z: Values, bad: Values, weights: Values, at: tuple[Values, Values]
) -> Values:
    slope, level = at
    pd_ = _expit(level[:, None] + slope[:, None] * z)
    residual = weights * (bad - pd_)
    curvature = weights * pd_ * (1 - pd_)
    toward = residual @ z, residual.sum(axis=1)
    h_ss, h_sl, h_ll = curvature @ (z * z), curvature @ z, curvature.sum(axis=1)
    determinant = h_ss * h_ll - h_sl * h_sl
    solvable = determinant > np.finfo(float).tiny
    safe = np.where(solvable, determinant, np.nan)
    step = np.stack(
        [
            (h_ll * toward[0] - h_sl * toward[1]) / safe,
            (h_ss * toward[1] - h_sl * toward[0]) / safe,
        ]
    )
    longest = np.maximum(np.abs(step).max(axis=0), _LONGEST_STEP)
    bounded: Values = step * (_LONGEST_STEP / longest)
    return bounded


def shift_to_bad_rate(margin: Values, bad: Values, weights: Values) -> Values:
    """Fit an intercept with the slope held at 1, for each set of weights.

    Args:
        margin: Predicted log-odds of bad, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        weights: Shape (n_sets, n).

    Returns:
        Shape (n_sets,); NaN where it does not exist.
    """
    shift = np.zeros(len(weights))
    bads = weights @ bad
    total = weights.sum(axis=1)
    shift[(bads <= 0) | (bads >= total)] = np.nan
    for _ in range(_MAX_ITERATIONS):
        pd_ = _expit(margin + shift[:, None])
        missing = bads - (weights * pd_).sum(axis=1)
        step = missing / (weights * pd_ * (1 - pd_)).sum(axis=1)
        shift = shift + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        moving = np.abs(step) > _TOLERANCE
        if not moving.any():
            break
    shift[moving] = np.nan
    return shift


def _expit(z: Values) -> Values:
    # Half the tangent form cannot overflow, so large margins raise no warning.
    found: Values = 0.5 + 0.5 * np.tanh(0.5 * z)
    return found


def _standard_errors(
    margin: Values, fitted: Values, weights: Values
) -> tuple[float, float]:
    pd_ = _expit(fitted)
    curvature = weights * pd_ * (1 - pd_)
    centre = (curvature * margin).sum() / curvature.sum()
    slope_variance = 1 / (curvature * (margin - centre) ** 2).sum()
    level_variance = 1 / curvature.sum() + centre**2 * slope_variance
    return float(np.sqrt(slope_variance)), float(np.sqrt(level_variance))


def reliability_table(
    pd_: Values, bad: Values, *, bins: int = 10, level: float = 0.95
) -> list[ReliabilityBin]:
    """Compare predicted and observed bad rates in bins of equal frequency.

    Applications with the same PD share a bin, so there may be fewer bins.

    Args:
        pd_: Probability of default, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        bins: Number of bins.
        level: Coverage of the intervals of the bad rates.

    Raises:
        EvaluationError: If a PD is NaN, lengths differ, or there is only one
            outcome.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical
        Inference (1927), JASA 22, for the intervals.
    """
    check_sample(pd_, bad, what="PDs")
    inner = np.unique(np.quantile(pd_, np.arange(1, bins) / bins))
    place = np.searchsorted(inner, pd_, side="left")
    lines = []
    for k in np.unique(place):
        members = place == k
        n, bads = int(members.sum()), int(bad[members].sum())
        low, high = wilson_interval(bads, n, level=level)
        mean = float(pd_[members].mean())
        lines.append(ReliabilityBin(n, mean, bads / n, low, high))
    return lines


def wilson_interval(events: int, n: int, *, level: float) -> tuple[float, float]:
    """Interval of a share, within [0, 1] even for few or no events.

    Args:
        events: Number of events, at most n.
        n: Number of trials, at least 1.
        level: Coverage, in (0, 1).
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = events / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    variance = share * (1 - share) / n + z * z / (4 * n * n)
    half = z * variance**0.5 / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)
