"""Finding loan ids that stand in a job more than once, in bounded memory."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit_scoring.compiled import compiled

# Hashes that are sorted at a time, as long as there are no more parts than may be open.
_MOST_TOGETHER = 1 << 20
_MOST_PARTS = 256
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


def count_repeated(paths: Sequence[Path], rows: int, folder: Path) -> int:
    """Count the decisions on loan ids that another decision of the job is on.

    Args:
        paths: See `find_repeated`.
        rows: See `find_repeated`.
        folder: See `find_repeated`.

    Returns:
        Decisions but for the first on each loan id. Two ids whose hashes are equal
        count as one: for ten million ids that is one chance in 370,000.

    Raises:
        OSError: If the folder has no room for them.
    """
    return len(find_repeated(paths, rows, folder))


def find_repeated(paths: Sequence[Path], rows: int, folder: Path) -> NDArray[np.uint64]:
    """Find the hashes that stand more than once.

    Many hashes are first put into parts by what they are, each a file, so that equal
    ones meet in one part; then one part after another is sorted.

    Args:
        paths: Files of hashes, as `numpy.save` writes them.
        rows: Count of all hashes.
        folder: Takes the parts' files, which have no name; 8 bytes a row.

    Returns:
        Each of them as often as it stands, less once.

    Raises:
        OSError: If the folder has no room for them.
    """
    parts = min(-(-rows // _MOST_TOGETHER), _MOST_PARTS)
    if parts <= 1:
        return _repeated_in([np.load(path) for path in paths])
    with ExitStack() as stack:
        files = [
            stack.enter_context(tempfile.TemporaryFile(dir=folder))
            for _ in range(parts)
        ]
        for path in paths:
            hashes = np.load(path)
            hashes = hashes[np.argsort(hashes % np.uint64(parts), kind="stable")]
            ends = np.bincount(hashes % np.uint64(parts), minlength=parts).cumsum()
            for file, own in zip(files, np.split(hashes, ends[:-1]), strict=True):
                file.write(own.tobytes())
        found = [_repeated_in([_written(file)]) for file in files]
    return np.concatenate(found)


def _written(file: IO[bytes]) -> NDArray[np.uint64]:
    file.seek(0)
    return np.frombuffer(file.read(), np.uint64)


def _repeated_in(hashes: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    together = np.concatenate([np.empty(0, np.uint64), *hashes])
    together.sort()
    again: NDArray[np.uint64] = together[1:][together[1:] == together[:-1]]
    return again
