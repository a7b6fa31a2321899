"""Compiled loops that see at once that all of a column is right."""

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled


@compiled
def any_missing(values: NDArray[np.float64]) -> bool:
    """Say whether a value is NaN."""
    missing = 0
    # Counted to the end, so that the compiler does several values at once.
    for row in range(len(values)):
        missing += np.isnan(values[row])
    return missing > 0


@compiled
def all_between(
    values: NDArray[np.float64], low: float, high: float, whole: bool
) -> bool:
    """Say whether each value is within bounds, and a whole number if it must be.

    Args:
        values: Shape (n,); NaN is out of bounds.
        low: Smallest value that may be.
        high: Largest value that may be.
        whole: Only whole numbers may be.
    """
    wrong = 0
    for row in range(len(values)):
        value = values[row]
        within = (value >= low) & (value <= high)
        wrong += not (within & ((np.trunc(value) == value) | (not whole)))
    return wrong == 0


@compiled
def all_spelt_with(
    letters: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    least: int,
    most: int,
) -> bool:
    """Say whether each text has only allowed letters, and neither few nor many.

    Args:
        letters: Of all texts, one after another.
        offsets: Where each text begins, and where the last one ends.
        allowed: Shape (256,): which bytes may be.
        least: Fewest letters that a text may have.
        most: Most letters that a text may have.
    """
    wrong = 0
    for text in range(len(offsets) - 1):
        length = offsets[text + 1] - offsets[text]
        wrong += (length < least) | (length > most)
    for at in range(offsets[0], offsets[-1]):
        wrong += not allowed[letters[at]]
    return wrong == 0


def warm_up() -> None:
    """Compile all of them, in the one form that each is called in."""
    numbers = np.zeros(1)
    numbers.flags.writeable = False
    any_missing(numbers)
    all_between(numbers, 0.0, 0.0, True)
    allowed = np.ones(256, np.bool_)
    all_spelt_with(np.zeros(1, np.uint8), np.array([0, 1]), allowed, 1, 1)
