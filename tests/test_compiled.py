import math

import numpy as np

from credit_scoring.compiled import compiled


def weighted(values: np.ndarray, weight: float) -> float:
    total = 0.0
    for value in values:
        total += value * weight
    return total


def test_a_kernel_gives_the_bits_of_its_python_form() -> None:
    values = np.random.default_rng(1).normal(size=1000)
    assert compiled(weighted)(values, 0.1) == weighted(values, 0.1)


def test_a_kernel_does_not_reorder_a_sum() -> None:
    values = np.array([1e16, 1.0, -1e16, 1.0])
    assert compiled(weighted)(values, 1.0) == 1.0


def share(part: float, whole: float) -> float:
    return part / whole


def test_a_division_by_zero_is_ieees() -> None:
    kernel = compiled(share)
    assert kernel(1.0, 0.0) == math.inf
    assert math.isnan(kernel(0.0, 0.0))
