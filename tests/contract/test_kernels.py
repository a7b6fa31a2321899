"""What is seen of a column at once is what its rules say of each cell."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from credit_scoring.contract import kernels


def both(kernel: Any) -> tuple[Callable[..., bool], Callable[..., bool]]:
    return kernel, kernel.py_func


@pytest.mark.parametrize("function", both(kernels.any_missing))
def test_a_missing_value_is_seen_wherever_it_stands(
    function: Callable[..., bool],
) -> None:
    values = np.arange(9.0)
    assert not function(values)
    for place in range(len(values)):
        gap = values.copy()
        gap[place] = np.nan
        assert function(gap)


@pytest.mark.parametrize("function", both(kernels.all_between))
@pytest.mark.parametrize(
    ("value", "of_any", "of_whole"),
    [
        (0.0, True, True),
        (-0.0, True, True),
        (9.0, True, True),
        (0.5, True, False),
        (-1.0, False, False),
        (9.001, False, False),
        (np.nan, False, False),
        (np.inf, False, False),
    ],
)
def test_values_are_within_bounds_and_whole_numbers(
    function: Callable[..., bool], value: float, of_any: bool, of_whole: bool
) -> None:
    values = np.array([1.0, value, 2.0])
    assert bool(function(values, 0.0, 9.0, False)) is of_any
    assert bool(function(values, 0.0, 9.0, True)) is of_whole


@pytest.mark.parametrize("function", both(kernels.all_spelt_with))
@pytest.mark.parametrize(
    ("texts", "right"),
    [
        ((b"ab", b"b"), True),
        ((b"ab", b"abc"), False),
        ((b"ab", b""), False),
        ((b"ab", b"x"), False),
    ],
)
def test_texts_have_allowed_letters_and_lengths(
    function: Callable[..., bool], texts: tuple[bytes, ...], right: bool
) -> None:
    allowed = np.zeros(256, np.bool_)
    allowed[[ord("a"), ord("b"), ord("c")]] = True
    letters = np.frombuffer(b"".join(texts), np.uint8)
    offsets = np.cumsum([0, *map(len, texts)])
    assert bool(function(letters, offsets, allowed, 1, 2)) is right


def test_warming_up_compiles_each_in_one_form() -> None:
    kernels.warm_up()
    for kernel in (kernels.any_missing, kernels.all_between, kernels.all_spelt_with):
        assert kernel.signatures  # type: ignore[attr-defined]
