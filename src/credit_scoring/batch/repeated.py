"""Finding loan ids that stand in a job more than once, in bounded memory."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit_scoring.compiled import compiled

# Hashes that are sorted at a time.
_MOST_TOGETHER = 1 << 22
_OFFSET, _PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)


@compiled
def _hash_texts(
    letters: NDArray[np.uint8], offsets: NDArray[np.int64], found: NDArray[np.uint64]
) -> None:
    """Hash each text to 64 bits (FNV-1a, with a finalizer that mixes all bits).

    Source: Fowler, Noll, Vo; draft-eastlake-fnv; the finalizer is MurmurHash3's.
    """
    for place in range(len(found)):
        value = _OFFSET
        for at in range(offsets[place], offsets[place + 1]):
            value = (value ^ np.uint64(letters[at])) * _PRIME
        value ^= value >> np.uint64(33)
        value *= np.uint64(0xFF51AFD7ED558CCD)
        value ^= value >> np.uint64(33)
        value *= np.uint64(0xC4CEB9FE1A85EC53)
        found[place] = value ^ (value >> np.uint64(33))


def hash_ids(loan_ids: pa.Array) -> NDArray[np.uint64]:
    """Hash loan ids to 64 bits each.

    Args:
        loan_ids: Texts of Arrow's type ``large_string``, none missing.
    """
    found = np.empty(len(loan_ids), np.uint64)
    whole = pa.concat_arrays([loan_ids])
    _, offsets, letters = whole.buffers()
    if letters is None or not len(loan_ids):
        found[:] = 0
        return found
    places = np.frombuffer(offsets, np.int64)[whole.offset :][: len(found) + 1]
    _hash_texts(np.frombuffer(letters, np.uint8).copy(), places.copy(), found)
    return found


def count_repeated(paths: list[Path], rows: int) -> int:
    """Count the decisions on loan ids that another decision of the job is on.

    Args:
        paths: Files of hashes, as `numpy.save` writes them.
        rows: Count of all hashes.

    Returns:
        Decisions but for the first on each loan id. Two ids whose hashes are equal
        count as one: for ten million ids that is one chance in 370,000.
    """
    parts = max(1, -(-rows // _MOST_TOGETHER))
    repeated = 0
    for part in range(parts):
        chosen = []
        for path in paths:
            hashes = np.load(path)
            mine = hashes % np.uint64(parts) == part if parts > 1 else slice(None)
            chosen.append(hashes[mine])
        together = np.concatenate(chosen) if chosen else np.empty(0, np.uint64)
        together.sort()
        repeated += int((together[1:] == together[:-1]).sum())
    return repeated
