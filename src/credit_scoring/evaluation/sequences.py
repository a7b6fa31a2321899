"""Intervals that hold at every look, however often one looks.

A test at 5 % that is repeated with each month's outcomes rejects far more than 5 % of
true hypotheses at some time. A confidence sequence covers the truth at all looks at
once, so that nobody has to say beforehand when, or how often, to look.
"""

from dataclasses import dataclass
from math import e, inf, log, sqrt
from statistics import NormalDist

from scipy.special import lambertw

from credit_scoring.errors import EvaluationError

_NORMAL = NormalDist()
_DOUBLINGS = 200


@dataclass(frozen=True)
class ConfidenceSequence:
    """A normal-mixture confidence sequence, fixed before the first look.

    Attributes:
        level: Coverage at all looks together, in (0, 1).
        prior: Information at which the mixture's normal lies; above 0.
    """

    level: float
    prior: float

    def radius(self, information: float) -> float:
        """Half the interval's width.

        Args:
            information: 1 / standard error squared, 0 or more.

        Source: Robbins, Statistical Methods Related to the Law of the Iterated
            Logarithm (1970), Annals of Mathematical Statistics 41; in the form of
            Howard, Ramdas, McAuliffe & Sekhon, Time-uniform, Nonparametric,
            Nonasymptotic Confidence Sequences (2021), Annals of Statistics 49,
            two-sided normal mixture. For estimates that are only asymptotically
            normal: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, Time-uniform
            Central Limit Theory and Asymptotic Confidence Sequences (2024),
            Annals of Statistics 52. That estimates of AUCs have the independent
            increments which this asks for: Tang, Emerson & Zhou, Nonparametric
            and Semiparametric Group Sequential Methods for Comparing Accuracy of
            Diagnostic Tests (2008), Biometrics 64.
        """
        if information == 0:
            return inf
        total = information + self.prior
        alpha = 1 - self.level
        return sqrt(total * log(total / (self.prior * alpha**2))) / information

    def interval(self, estimate: float, error: float) -> tuple[float, float]:
        """Give the interval at one look.

        Args:
            estimate: What was found with all that is known by now.
            error: Its standard error, 0 or more; of 0 the interval is the
                estimate itself.
        """
        if error == 0:
            return estimate, estimate
        half = self.radius(1 / error**2)
        return estimate - half, estimate + half

    def power(self, difference: float, information: float) -> float:
        """Chance that one look finds the interval above 0.

        Args:
            difference: The true one, above 0.
            information: At that look, 0 or more.

        Returns:
            In [0, 1); earlier looks can only add to it.
        """
        if information == 0:
            return 0.0
        return _NORMAL.cdf((difference - self.radius(information)) * sqrt(information))

    def information_needed(self, difference: float, power: float) -> float:
        """Least information at which one look has a power.

        Args:
            difference: The true one, above 0.
            power: In (0, 1).
        """
        low, high = 0.0, 1 / difference**2
        while self.power(difference, high) < power:
            low, high = high, 2 * high
        for _ in range(_DOUBLINGS):
            middle = (low + high) / 2
            if self.power(difference, middle) < power:
                low = middle
            else:
                high = middle
        return high


def plan_sequence(
    *, level: float, difference: float, power: float
) -> ConfidenceSequence:
    """Make the sequence that is narrowest where the difference can be shown.

    The prior is fixed by what is asked alone, so no look can move it.

    Args:
        level: Coverage at all looks together, in (0, 1).
        difference: Smallest difference that matters, above 0.
        power: Wanted chance to show it, in (0, 1).

    Raises:
        EvaluationError: If one of them is out of its range.

    Source: the prior minimises the width at the information that a test without
        looks would need; Howard, Ramdas, McAuliffe & Sekhon (2021), section 3.5,
        by the lower branch of Lambert's function.
    """
    if not (0 < level < 1 and 0 < power < 1 and 0 < difference < inf):
        raise EvaluationError(
            f"level {level}, power {power} and difference {difference} cannot be "
            "planned for; expected two in (0, 1) and one above 0"
        )
    alpha = 1 - level
    wanted = _NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)
    best = max((wanted / difference) ** 2, 1.0)
    ratio = -float(lambertw(-(alpha**2) / e, k=-1).real)
    return ConfidenceSequence(level=level, prior=best / (ratio - 1))
