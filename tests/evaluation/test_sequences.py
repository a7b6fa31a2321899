from math import inf, log, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.sequences import ConfidenceSequence, plan_sequence


def test_the_radius_is_that_of_a_case_worked_by_hand() -> None:
    # I = 300, prior 100, alpha 0.05: sqrt(400 ln(4 / 0.0025)) / 300.
    sequence = ConfidenceSequence(level=0.95, prior=100.0)
    assert sequence.radius(300) == pytest.approx(sqrt(400 * log(1600)) / 300)
    low, high = sequence.interval(0.2, 1 / sqrt(300))
    assert (low + high) / 2 == pytest.approx(0.2)
    assert high - low == pytest.approx(2 * sequence.radius(300))


def test_without_information_nothing_is_known_and_without_error_all_is() -> None:
    sequence = ConfidenceSequence(level=0.95, prior=1.0)
    assert sequence.radius(0) == inf
    assert sequence.power(1.0, 0) == 0
    assert sequence.interval(0.3, 0.0) == (0.3, 0.3)


def test_the_prior_makes_it_narrowest_where_it_was_planned() -> None:
    planned = plan_sequence(level=0.95, difference=0.005, power=0.8)
    z = NormalDist().inv_cdf
    best = ((z(0.975) + z(0.8)) / 0.005) ** 2
    radius = planned.radius(best)
    for factor in (0.8, 0.95, 1.05, 1.25):
        other = ConfidenceSequence(0.95, planned.prior * factor)
        assert other.radius(best) > radius


def test_power_and_the_information_needed_agree() -> None:
    sequence = plan_sequence(level=0.95, difference=0.01, power=0.8)
    needed = sequence.information_needed(0.01, 0.8)
    assert sequence.power(0.01, needed) == pytest.approx(0.8, abs=1e-9)
    assert sequence.power(0.01, needed / 2) < 0.8 < sequence.power(0.01, 2 * needed)
    # It costs something not to have said when one looks.
    z = NormalDist().inv_cdf
    assert needed > ((z(0.975) + z(0.8)) / 0.01) ** 2


@pytest.mark.parametrize(
    ("level", "difference", "power"),
    [(1.0, 0.1, 0.8), (0.95, 0.0, 0.8), (0.95, 0.1, 1.0), (0.95, inf, 0.8)],
)
def test_what_cannot_be_planned_is_refused(
    level: float, difference: float, power: float
) -> None:
    with pytest.raises(EvaluationError, match="cannot be planned for"):
        plan_sequence(level=level, difference=difference, power=power)


def test_repeated_looks_keep_the_level_and_naive_ones_do_not() -> None:
    """Sixty looks at skewed differences whose mean is 0, two thousand times."""
    generator = np.random.default_rng(7)
    sequence = plan_sequence(level=0.95, difference=0.1, power=0.8)
    repetitions, looks, rows = 2000, 60, 50
    z = NormalDist().inv_cdf(0.975)
    sums = np.zeros(repetitions)
    squares = np.zeros(repetitions)
    ever, naive = np.zeros(repetitions, bool), np.zeros(repetitions, bool)
    for look in range(1, looks + 1):
        values = generator.exponential(1.0, (repetitions, rows)) - 1
        sums += values.sum(axis=1)
        squares += (values**2).sum(axis=1)
        n = look * rows
        means = sums / n
        errors = np.sqrt((squares / n - means**2) / (n - 1))
        radii = np.array([sequence.radius(1 / error**2) for error in errors])
        ever |= np.abs(means) > radii
        naive |= np.abs(means) > z * errors
    assert ever.mean() < 0.05
    assert naive.mean() > 0.20
