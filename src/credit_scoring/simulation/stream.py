"""The stream: held-out applications, drawn month by month, with a known drift."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Places = NDArray[np.int64]

# Whole months after the epoch, so that windows of monitoring begin with the year.
BEGIN = datetime(2030, 1, 16, tzinfo=UTC)
DAYS_OF_A_MONTH = 30


@dataclass(frozen=True)
class Held:
    """Applications that no model has seen, with what became of them.

    Attributes:
        columns: Contract columns that a decision may use, each of shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
    """

    columns: Mapping[str, Values]
    bad: Values


@dataclass(frozen=True)
class Drift:
    """A covariate shift: who applies changes, and not what becomes of them.

    Applicants are drawn with weights exp(-strength * u), u being the rank of a
    column in (0, 1): with 1 those with the lowest value come e times as often as
    those with the highest. What became of an applicant stays with the applicant, so
    P(bad | application) is as it was.

    Attributes:
        column: Whose low values become more frequent.
        month: First month of it, from 0.
        strength: 0 is none.

    Source: Shimodaira, Improving Predictive Inference under Covariate Shift by
        Weighting the Log-likelihood Function (2000), section 1, for the kind of
        shift.
    """

    column: str
    month: int
    strength: float


def draw_month(
    held: Held, month: int, *, size: int, drift: Drift | None, seed: int
) -> Places:
    """Draw the applicants of a month, with replacement.

    Args:
        held: The population, whose figures are known.
        month: From 0.
        size: Number of applicants.
        drift: What changes; None for nothing.
        seed: Of the year.

    Returns:
        Places in the held-out applications, shape (size,).
    """
    generator = np.random.default_rng([seed, month])
    rows = len(held.bad)
    if drift is None or month < drift.month:
        return generator.integers(0, rows, size)
    rank = np.argsort(np.argsort(held.columns[drift.column], kind="stable")) / rows
    weights = np.exp(-drift.strength * rank)
    return generator.choice(rows, size, p=weights / weights.sum())


def moments(month: int, size: int) -> list[datetime]:
    """Spread a month's applications evenly over its days."""
    step = timedelta(days=DAYS_OF_A_MONTH) / size
    begin = BEGIN + month * timedelta(days=DAYS_OF_A_MONTH)
    return [begin + number * step for number in range(size)]
