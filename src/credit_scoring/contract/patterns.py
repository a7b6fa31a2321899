"""Patterns of identifiers, seen at once where they only say which letters may be."""

import re
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit_scoring.contract.kernels import all_spelt_with

# A set of letters without escapes or exclusions, and how many of them there may be.
_ASCII = 128
_SIMPLE = re.compile(r"\^?\[([^\[\]\\^][^\[\]\\]*)\]\{(\d{1,6}),(\d{1,6})\}\$?")


def all_match(text: pa.Array, pattern: str) -> bool:
    """Say whether every text surely matches a pattern, as a whole.

    Args:
        text: Texts of Arrow's type ``large_string``.
        pattern: A regular expression.

    Returns:
        False if one does not, or is missing, or the pattern is not of the kind
        ``[A-Za-z0-9]{1,64}``: then it takes the expression itself to know.
    """
    simple = _allowed(pattern)
    if simple is None or text.null_count or not len(text):
        return False
    _, offsets, letters = text.buffers()
    if letters is None:
        return False
    places = np.frombuffer(offsets, np.int64)[text.offset :][: len(text) + 1]
    found = np.frombuffer(letters, np.uint8)
    # Arrow's memory cannot be written to, which the kernel need not be made for.
    first, last = int(places[0]), int(places[-1])
    return all_spelt_with(found[first:last].copy(), places - first, *simple)


@cache
def _allowed(pattern: str) -> tuple[NDArray[np.bool_], int, int] | None:
    """Read a pattern of one set of letters: which bytes, and how many of them."""
    match = _SIMPLE.fullmatch(pattern)
    if match is None:
        return None
    one = re.compile(f"[{match[1]}]")
    # A letter beyond ASCII has several bytes, and the pattern itself has its say.
    allowed = np.zeros(256, np.bool_)
    for byte in range(_ASCII):
        allowed[byte] = one.fullmatch(chr(byte)) is not None
    return allowed, int(match[2]), int(match[3])
