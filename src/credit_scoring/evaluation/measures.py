"""All measures of a candidate on one split, with their intervals."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from credit_scoring.evaluation.bootstrap import (
    BootstrapParameters,
    percentile_interval,
    resampling_weights,
)
from credit_scoring.evaluation.calibration import (
    fit_recalibration,
    log_odds,
    losses,
    recalibrate,
    shift_to_bad_rate,
)
from credit_scoring.evaluation.discrimination import Ranking
from credit_scoring.evaluation.sample import check_sample
from credit_scoring.evaluation.stability import (
    count_by_bin,
    distribution_edges,
    psi_of_counts,
    resampled_psi,
)

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A figure, with its bootstrap interval where one was asked for."""

    value: float
    low: float | None = None
    high: float | None = None

    def as_json(self) -> dict[str, float | None]:
        """The measure as a JSON-like value."""
        return asdict(self)


class _Sample:
    """What all measures of one split share."""

    def __init__(self, pd_: Values, bad: Values) -> None:
        check_sample(pd_, bad, what="PDs")
        self.pd_ = pd_
        self.bad = bad
        self.margin = log_odds(pd_)
        self.ranking = Ranking(self.margin, bad)
        self.squares = (pd_ - bad) ** 2
        self.losses = losses(pd_, bad)

    def measured(self, weights: Values) -> dict[str, Values]:
        """Each measure for each set of weights, shape (n_sets,)."""
        auc = self.ranking.auc(weights)
        refit = recalibrate(self.margin, self.bad, weights)
        total = weights.sum(axis=1)
        return {
            "auc": auc,
            "gini": 2 * auc - 1,
            "ks": self.ranking.ks(weights),
            "brier": weights @ self.squares / total,
            "log_loss": weights @ self.losses / total,
            "calibration_slope": refit[:, 0],
            "calibration_intercept": refit[:, 1],
            "calibration_in_the_large": shift_to_bad_rate(
                self.margin, self.bad, weights
            ),
            "bad_rate": weights @ self.bad / total,
            "mean_pd": weights @ self.pd_ / total,
        }


def measure_split(
    pd_: Values, bad: Values, *, bootstrap: BootstrapParameters | None = None
) -> dict[str, Measure]:
    """Measure discrimination and calibration on one split.

    Args:
        pd_: Calibrated probability of default, shape (n,), in (0, 1).
        bad: 1 for bad, 0 for good, shape (n,).
        bootstrap: How to resample; without it there are no intervals.

    Returns:
        ``auc``, ``gini``, ``ks``, ``brier``, ``log_loss``,
        ``calibration_slope`` and ``calibration_intercept`` (fitted together),
        ``calibration_in_the_large`` (slope held at 1), ``bad_rate``,
        ``mean_pd``; and ``rows`` and ``bads``, which are counts.

    Raises:
        EvaluationError: If a PD is NaN or not in (0, 1), lengths differ, there
            is only one outcome, or a measure is not defined.
    """
    sample = _Sample(pd_, bad)
    # Refuses, with the reason, what the resamples below would call undefined.
    fit_recalibration(sample.margin, bad)
    point = sample.measured(np.ones((1, len(bad))))
    values = {name: Measure(float(found[0])) for name, found in point.items()}
    if bootstrap is not None:
        values = _with_intervals(sample, values, bootstrap)
    counts = {"rows": Measure(float(len(bad))), "bads": Measure(float(bad.sum()))}
    return values | counts


def _with_intervals(
    sample: _Sample, values: dict[str, Measure], bootstrap: BootstrapParameters
) -> dict[str, Measure]:
    blocks = [
        sample.measured(weights)
        for weights in resampling_weights(len(sample.bad), bootstrap)
    ]
    found = {}
    for name, measure in values.items():
        replicates = np.concatenate([block[name] for block in blocks])
        interval = percentile_interval(replicates, level=bootstrap.level)
        found[name] = Measure(measure.value, interval.low, interval.high)
    return found


def measure_stability(
    expected: Values,
    actual: Values,
    *,
    bins: int = 10,
    bootstrap: BootstrapParameters | None = None,
) -> Measure:
    """Measure how far the scores of one split lie from those of another.

    Args:
        expected: Scores of the reference split, shape (n_expected,).
        actual: Scores of the split compared with it, shape (n_actual,).
        bins: Bins of equal frequency in the expected scores.
        bootstrap: How to resample both; without it there is no interval.

    Returns:
        PSI. Its resamples carry the sampling noise twice, so the interval tends
        to lie above the value when the distributions are equal.

    Raises:
        EvaluationError: If no expected value is known, or there is no actual row.
    """
    edges = distribution_edges(expected, bins=bins)
    counts = count_by_bin(expected, edges), count_by_bin(actual, edges)
    value = psi_of_counts(*counts)
    if bootstrap is None:
        return Measure(value)
    replicates = resampled_psi(
        *counts, replicates=bootstrap.replicates, seed=bootstrap.seed
    )
    interval = percentile_interval(replicates, level=bootstrap.level)
    return Measure(value, interval.low, interval.high)
