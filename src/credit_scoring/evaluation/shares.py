"""Shares of two groups beside each other: their ratio and their difference."""

from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import wilson_interval
from credit_scoring.evaluation.measures import Measure

_HALF = 0.5


@dataclass(frozen=True)
class Count:
    """Events among trials.

    Attributes:
        events: At least 0, at most `trials`.
        trials: At least 1.
    """

    events: int
    trials: int

    def __post_init__(self) -> None:
        """Refuse a share that is none.

        Raises:
            EvaluationError: If there is no trial, or more events than trials.
        """
        if self.trials < 1 or not 0 <= self.events <= self.trials:
            raise EvaluationError(
                f"{self.events} events among {self.trials} trials; expected a share"
            )

    @property
    def share(self) -> float:
        """Events by trials, in [0, 1]."""
        return self.events / self.trials


def ratio_of_shares(one: Count, other: Count, *, level: float) -> Measure:
    """Divide two shares.

    Args:
        one: The group in question.
        other: The group that it is compared with.
        level: Coverage of the interval, in (0, 1).

    Returns:
        The ratio; its interval is symmetric on the scale of logarithms. If
        nothing happened in the first group, it counts half an event for the
        upper end, and the lower end is 0.

    Raises:
        EvaluationError: If nothing happened in the other group.

    Source: Katz, Baptista, Azen & Pike, Obtaining Confidence Intervals for the
        Risk Ratio in Cohort Studies (1978), Biometrics 34, method C.
    """
    if other.events == 0:
        raise EvaluationError(
            f"no event among the {other.trials} trials to compare with: no ratio"
        )
    z = NormalDist().inv_cdf(0.5 + level / 2)
    events = max(float(one.events), _HALF)
    centre = log(events / one.trials) - log(other.share)
    variance = 1 / events - 1 / one.trials + 1 / other.events - 1 / other.trials
    half = z * sqrt(variance)
    low = exp(centre - half) if one.events else 0.0
    return Measure(one.share / other.share, low, exp(centre + half))


def difference_of_shares(one: Count, other: Count, *, level: float) -> Measure:
    """Subtract two shares.

    Args:
        one: The group in question.
        other: The group that it is compared with.
        level: Coverage of the interval, in (0, 1).

    Returns:
        ``one - other``, within [-1, 1] with its interval.

    Source: Newcombe, Interval Estimation for the Difference between
        Independent Proportions (1998), Statistics in Medicine 17, method 10.
    """
    difference = one.share - other.share
    low_1, high_1 = wilson_interval(one.events, one.trials, level=level)
    low_2, high_2 = wilson_interval(other.events, other.trials, level=level)
    below = sqrt((one.share - low_1) ** 2 + (high_2 - other.share) ** 2)
    above = sqrt((high_1 - one.share) ** 2 + (other.share - low_2) ** 2)
    return Measure(difference, difference - below, difference + above)
