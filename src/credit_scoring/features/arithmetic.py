"""Exact elementwise arithmetic that features share: flags, shares and ratios.

Every function gives NaN where an argument is NaN, never warns, and works on
arrays in numpy and on single numbers in a compiled kernel alike. That is why
conditions are written as products of 0 and 1 and not as masks.
"""

import numpy as np

from credit_scoring.compiled import compilable
from credit_scoring.features.definition import Values


@compilable
def above(values: Values, level: Values | float) -> Values:
    """1 where the values are above the level, else 0."""
    flag: Values = np.sign(np.maximum(values - level, 0.0))
    return flag


@compilable
def at_least(codes: Values, code: float) -> Values:
    """1 where an integer code reaches the given one, else 0."""
    flag: Values = np.minimum(np.maximum(codes - (code - 1.0), 0.0), 1.0)
    return flag


@compilable
def equal_to(codes: Values, code: float) -> Values:
    """1 where an integer code is the given one, else 0."""
    flag: Values = 1.0 - np.minimum(np.abs(codes - code), 1.0)
    return flag


@compilable
def share_of_limit(amount: Values, limit: Values) -> Values:
    """Amount as a share of the limit; a limit below 1 counts as 1."""
    share: Values = amount / np.maximum(limit, 1.0)
    return share


@compilable
def ratio(amount: Values, base: Values, without_base: float, cap: float) -> Values:
    """Amount (>= 0) over base, at most the cap; where base <= 0, what is given."""
    positive = np.maximum(base, 0.0)
    some = np.sign(positive)
    # Capped before the division, which a base near zero would make overflow. The
    # divisor is the base itself where there is one, and 1 where there is none.
    quotient = np.minimum(amount, cap * positive) / (positive + (1.0 - some))
    value: Values = some * quotient + (1.0 - some) * without_base
    return value


@compilable
def largest(a: Values, b: Values, c: Values, d: Values, e: Values, f: Values) -> Values:
    """Largest of six months."""
    return np.maximum(np.maximum(np.maximum(a, b), np.maximum(c, d)), np.maximum(e, f))


@compilable
def smallest(
    a: Values, b: Values, c: Values, d: Values, e: Values, f: Values
) -> Values:
    """Smallest of six months."""
    return np.minimum(np.minimum(np.minimum(a, b), np.minimum(c, d)), np.minimum(e, f))


@compilable
def total(a: Values, b: Values, c: Values, d: Values, e: Values, f: Values) -> Values:
    """Sum of six months, added from the first to the last."""
    added: Values = a + b + c + d + e + f
    return added


@compilable
def mean(a: Values, b: Values, c: Values, d: Values, e: Values, f: Values) -> Values:
    """Mean of six months."""
    return total(a, b, c, d, e, f) / 6.0


@compilable
def deviation(
    a: Values, b: Values, c: Values, d: Values, e: Values, f: Values
) -> Values:
    """Standard deviation of six months around their mean (divided by six)."""
    centre = mean(a, b, c, d, e, f)
    u, v, w = a - centre, b - centre, c - centre
    x, y, z = d - centre, e - centre, f - centre
    return np.sqrt(total(u * u, v * v, w * w, x * x, y * y, z * z) / 6.0)
