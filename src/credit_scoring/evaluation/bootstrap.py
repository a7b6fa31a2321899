"""Bootstrap: how far a measure would move on another sample of its size."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.errors import EvaluationError

Values = NDArray[np.float64]

# Bounds the memory of one block, and keeps it in the processor's cache.
_WEIGHTS_IN_A_BLOCK = 500_000
_MAX_UNDEFINED_SHARE = 0.05


class BootstrapParameters(BaseModel):
    """How many resamples, from which seed, for which coverage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    replicates: int = Field(default=500, ge=2)
    seed: int = Field(default=20051001, ge=0)
    level: float = Field(default=0.95, gt=0, lt=1)


@dataclass(frozen=True)
class Interval:
    """The middle part of a measure's bootstrap distribution."""

    low: float
    high: float


def resampling_weights(rows: int, parameters: BootstrapParameters) -> Iterator[Values]:
    """Draw how often each row occurs in each resample.

    Args:
        rows: Number of rows, drawn with replacement as often as there are rows.
        parameters: Number of resamples and seed.

    Yields:
        Blocks of shape (n_resamples, rows); each resample sums to rows.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993),
        chapter 6.
    """
    generator = np.random.default_rng(parameters.seed)
    size = max(1, _WEIGHTS_IN_A_BLOCK // rows)
    for start in range(0, parameters.replicates, size):
        sets = min(size, parameters.replicates - start)
        drawn = generator.integers(0, rows, size=(sets, rows))
        drawn += np.arange(sets)[:, None] * rows
        counts = np.bincount(drawn.ravel(), minlength=sets * rows)
        yield counts.reshape(sets, rows).astype(np.float64)


def percentile_interval(replicates: Values, *, level: float) -> Interval:
    """Take the interval between two percentiles of the resampled measure.

    Args:
        replicates: The measure in each resample; NaN where it is not defined.
        level: Coverage, in (0, 1).

    Raises:
        EvaluationError: If it is not defined in more than 5 % of the resamples.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993),
        section 13.3.
    """
    defined = replicates[~np.isnan(replicates)]
    if replicates.size - defined.size > _MAX_UNDEFINED_SHARE * replicates.size:
        raise EvaluationError(
            f"not defined in {replicates.size - defined.size} of "
            f"{replicates.size} resamples: too few goods or bads for an interval"
        )
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high))
