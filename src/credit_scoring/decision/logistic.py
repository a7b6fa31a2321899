"""The logistic function, to the same bits on every machine.

A library's exponential differs in its last bit from one machine to the next.
These kernels use only operations that IEEE 754 rounds correctly, in twice the
precision, so that the result is the correctly rounded one in practice: never
more than one unit in the last place off, and monotone.
"""

import math

import numpy as np
from numpy.typing import NDArray

from credit_scoring.compiled import compiled

Pair = tuple[float, float]

# ln 2 in three parts: the first two end in enough zero bits that a multiple
# of up to 2**10 of them is exact.
_LN2_HIGH = float.fromhex("0x1.62e42fefa3800p-1")
_LN2_MIDDLE = float.fromhex("0x1.ef35793c76000p-45")
_LN2_LOW = float.fromhex("0x1.cc01f97b57a08p-87")
_SPLITTER = 134217729.0  # 2**27 + 1
# Beyond it a PD has no normal float64 of its own; its side stays in (0, 1).
_LIMIT = 700.0
_BELOW_ONE = 1.0 - 2.0**-53

# 1/n! for n = 3..7 as sums of two floats, and for n = 8..18 as floats: the
# terms that are small enough to need no second float.
_PAIRED = np.array(
    [
        [0.0001984126984126984, 1.7209558293420705e-22],
        [0.001388888888888889, -5.300543954373577e-20],
        [0.008333333333333333, 1.1564823173178714e-19],
        [0.041666666666666664, 2.3129646346357427e-18],
        [0.16666666666666666, 9.25185853854297e-18],
    ]
)
_SINGLE = np.array([1.0 / math.factorial(n) for n in range(18, 7, -1)])


@compiled
def _sum(a: float, b: float) -> Pair:
    """Add two floats without loss (Knuth's TwoSum)."""
    total = a + b
    other = total - a
    return total, (a - (total - other)) + (b - other)


@compiled
def _product(a: float, b: float) -> Pair:
    """Multiply two floats without loss (Dekker's product)."""
    product = a * b
    big = _SPLITTER * a
    a_high = big - (big - a)
    a_low = a - a_high
    big = _SPLITTER * b
    b_high = big - (big - b)
    b_low = b - b_high
    rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + (
        a_low * b_low
    )
    return product, rest


@compiled
def _add(a: Pair, b: Pair) -> Pair:
    total, rest = _sum(a[0], b[0])
    return _sum(total, rest + (a[1] + b[1]))


@compiled
def _multiply(a: Pair, b: Pair) -> Pair:
    product, rest = _product(a[0], b[0])
    return _sum(product, rest + (a[0] * b[1] + a[1] * b[0]))


@compiled
def _exponential(z: float) -> Pair:
    """Give e**z as a sum of two floats, for -700 <= z <= 0.

    Source: Muller, Elementary Functions (3rd ed. 2016), chapter 11 (Cody and
    Waite's range reduction); Dekker, Numerische Mathematik 18 (1971), 224-242.
    """
    twos = math.floor(z * 1.4426950408889634 + 0.5)
    r = _sum(z - twos * _LN2_HIGH, -twos * _LN2_MIDDLE)
    r = _add(r, (-twos * _LN2_LOW, 0.0))
    tail = 0.0
    for coefficient in _SINGLE:
        tail = tail * r[0] + coefficient
    series = _product(tail, r[0])
    for index in range(_PAIRED.shape[0]):
        series = _add(series, (_PAIRED[index, 0], _PAIRED[index, 1]))
        series = _multiply(series, r)
    square = _multiply(r, r)
    value = _multiply(_add(series, (0.5, 0.0)), square)
    value = _add((1.0, 0.0), _add(r, value))
    scale = 1.0
    for _ in range(-int(twos)):
        scale *= 0.5
    return value[0] * scale, value[1] * scale


@compiled
def _logistic(z: float) -> float:
    """Give 1 / (1 + e**-z) for one value; NaN stays NaN."""
    if math.isnan(z):
        return z
    power = _exponential(-min(abs(z), _LIMIT))
    numerator = power if z < 0.0 else (1.0, 0.0)
    denominator = _add((1.0, 0.0), power)
    quotient = numerator[0] / denominator[0]
    back = _multiply((quotient, 0.0), denominator)
    remainder = _add(numerator, (-back[0], -back[1]))
    return min(quotient + remainder[0] / denominator[0], _BELOW_ONE)


@compiled
def expit(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn log-odds of bad into probabilities of default.

    Args:
        z: Calibrated log-odds of bad, shape (n,). Values beyond 700 on either
            side count as 700; NaN stays NaN.

    Returns:
        Probabilities, shape (n,), strictly inside (0, 1); they never fall as
        the log-odds rise. A value does not depend on the values beside it.
    """
    pd_ = np.empty(z.size)
    for row in range(z.size):
        pd_[row] = _logistic(z[row])
    return pd_


@compiled
def pd_and_score(
    margin: NDArray[np.float64],
    line: NDArray[np.float64],
    pd_: NDArray[np.float64],
    score: NDArray[np.float64],
) -> int:
    """Turn margins into probabilities of default and reported scores.

    The same operations in the same order as `expit` and
    `scorecard.scaling.score_from_log_odds`, in one pass for one row's sake.

    Args:
        margin: Uncalibrated log-odds of bad, shape (n,).
        line: Slope and intercept of the calibration, offset and factor of the
            points scale.
        pd_: Probabilities of default are written here, shape (n,).
        score: Scores, rounded to a tenth of a point (halves to even), are
            written here, shape (n,).

    Returns:
        The number of scores that are not finite.
    """
    wrong = 0
    for row in range(margin.size):
        z = line[1] + line[0] * margin[row]
        pd_[row] = _logistic(z)
        score[row] = np.rint((line[2] - line[3] * z) * 10.0) / 10.0
        wrong += not np.isfinite(score[row])
    return wrong
