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
_PAIRED = (
    (0.0001984126984126984, 1.7209558293420705e-22),
    (0.001388888888888889, -5.300543954373577e-20),
    (0.008333333333333333, 1.1564823173178714e-19),
    (0.041666666666666664, 2.3129646346357427e-18),
    (0.16666666666666666, 9.25185853854297e-18),
)
_SINGLE = tuple(1.0 / math.factorial(n) for n in range(18, 7, -1))
_HALVES = 0.5 ** np.arange(1024)
# Values at a time.
_BLOCK = 256


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
def _tail(r: float) -> float:
    """Sum the terms from the eighth on; written out, as a loop stops the compiler."""
    tail = _SINGLE[0] * r + _SINGLE[1]
    tail = tail * r + _SINGLE[2]
    tail = tail * r + _SINGLE[3]
    tail = tail * r + _SINGLE[4]
    tail = tail * r + _SINGLE[5]
    tail = tail * r + _SINGLE[6]
    tail = tail * r + _SINGLE[7]
    tail = tail * r + _SINGLE[8]
    tail = tail * r + _SINGLE[9]
    return tail * r + _SINGLE[10]


@compiled
def _powers(
    z: NDArray[np.float64],
    twos: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
) -> None:
    """Write e**z as a sum of two floats, less the powers of two in it.

    All in one loop without a branch or a call, so that the compiler does several
    values with one instruction.

    Args:
        z: From -700 to 0.
        twos: How often 2 divides e**z, about: the nearest whole number to z / ln 2.
        high: The first of the two floats is written here.
        low: The second is written here.

    Source: Muller, Elementary Functions (3rd ed. 2016), chapter 11 (Cody and
    Waite's range reduction); Dekker, Numerische Mathematik 18 (1971), 224-242.
    """
    for row in range(len(high)):
        count = twos[row]
        r = _sum(z[row] - count * _LN2_HIGH, -count * _LN2_MIDDLE)
        r = _add(r, (-count * _LN2_LOW, 0.0))
        series = _product(_tail(r[0]), r[0])
        series = _multiply(_add(series, _PAIRED[0]), r)
        series = _multiply(_add(series, _PAIRED[1]), r)
        series = _multiply(_add(series, _PAIRED[2]), r)
        series = _multiply(_add(series, _PAIRED[3]), r)
        series = _multiply(_add(series, _PAIRED[4]), r)
        square = _multiply(r, r)
        value = _multiply(_add(series, (0.5, 0.0)), square)
        value = _add((1.0, 0.0), _add(r, value))
        high[row] = value[0]
        low[row] = value[1]


@compiled
def _quotients(
    z: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    found: NDArray[np.float64],
) -> None:
    """Write 1 / (1 + e**-z), given e**-abs(z) as a sum of two floats."""
    for row in range(len(found)):
        below = z[row] < 0.0
        first = high[row] if below else 1.0
        second = low[row] if below else 0.0
        denominator = _add((1.0, 0.0), (high[row], low[row]))
        quotient = first / denominator[0]
        back = _multiply((quotient, 0.0), denominator)
        remainder = _add((first, second), (-back[0], -back[1]))
        found[row] = min(quotient + remainder[0] / denominator[0], _BELOW_ONE)


@compiled
def _logistic(z: NDArray[np.float64], found: NDArray[np.float64]) -> None:
    """Write 1 / (1 + e**-z) for each value; NaN stays NaN."""
    size = min(len(z), _BLOCK)
    # Each of its own, so that the compiler sees that they do not overlap.
    negative, twos = np.empty(size), np.empty(size)
    high, low = np.empty(size), np.empty(size)
    for start in range(0, len(z), _BLOCK):
        own = z[start : start + _BLOCK]
        n = len(own)
        for row in range(n):
            negative[row] = -min(abs(own[row]), _LIMIT)
            twos[row] = np.floor(negative[row] * 1.4426950408889634 + 0.5)
        _powers(negative, twos, high[:n], low[:n])
        for row in range(n):
            if not math.isnan(own[row]):
                scale = _HALVES[int(-twos[row])]
                high[row] *= scale
                low[row] *= scale
        _quotients(own, high, low, found[start : start + n])
        for row in range(n):
            if math.isnan(own[row]):
                found[start + row] = own[row]


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
    _logistic(z, pd_)
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
    z = np.empty(margin.size)
    for row in range(margin.size):
        z[row] = line[1] + line[0] * margin[row]
        score[row] = np.rint((line[2] - line[3] * z[row]) * 10.0) / 10.0
    _logistic(z, pd_)
    wrong = 0
    for row in range(margin.size):
        wrong += not np.isfinite(score[row])
    return wrong
