"""Identifiers of a batch's decisions: made of the job and the row, so made once."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit_scoring.compiled import compiled

_DIGITS = 32
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
# Hex digits of the chunk's number and of the row's in it.
_CHUNK_DIGITS, _ROW_DIGITS = 8, 7
_HEAD = _DIGITS - _CHUNK_DIGITS - _ROW_DIGITS


@compiled
def _write_digits(rows: NDArray[np.int64], letters: NDArray[np.uint8]) -> None:
    """Write numbers as hex digits, shape (n, n_digits), the highest first."""
    for row in range(len(rows)):
        left = rows[row]
        for place in range(letters.shape[1] - 1, -1, -1):
            letters[row, place] = _HEX[left & 15]
            left >>= 4


def job_id(parts: Sequence[str]) -> str:
    """Identify a job by all that its decisions depend on; 32 hex digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:_DIGITS]


def decision_ids(job: str, chunk: int, rows: NDArray[np.int64]) -> pa.Array:
    """Identify the decisions of a chunk.

    Each is a UUID of version 8 in hex: 62 bits of the job, then the chunk's number
    and the row's place in the chunk.

    Args:
        job: See `job_id`.
        chunk: Number of the chunk, below 2**32.
        rows: Places in the chunk, from 0, below 2**28.

    Source: RFC 9562, section 5.8.
    """
    head = f"{job[:12]}8{job[12:15]}8{chunk:0{_CHUNK_DIGITS}x}".encode()
    head = head[: _HEAD + _CHUNK_DIGITS]
    letters = np.empty((len(rows), _DIGITS), np.uint8)
    letters[:, : len(head)] = np.frombuffer(head, np.uint8)
    _write_digits(rows, letters[:, len(head) :])
    offsets = np.arange(0, _DIGITS * (len(rows) + 1), _DIGITS, dtype=np.int32)
    return pa.StringArray.from_buffers(
        len(rows), pa.py_buffer(offsets), pa.py_buffer(letters)
    )
