"""What a runner in a service of its own is asked, and what it answers, as bytes.

A question is one HTTP request. Its path names the artifact that must decide, and
whether approvals are explained; its body is the rows, 64-bit floats of the lowest
byte first, without anything around them. The answer is MessagePack: for each row
its decision, or nil if the runner failed on it. Every float arrives to the bit, and
nothing that is read can run code.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from credit_scoring.decision.decisions import Decision
from credit_scoring.errors import CreditScoringError

ROWS_TYPE = b"application/octet-stream"
OUTCOMES_TYPE = b"application/msgpack"

_FLOAT = np.dtype("<f8")
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Decision | None])


class WireError(CreditScoringError, ValueError):
    """Bytes that are no question, or no answer to it."""


def path_of(digest: str, *, explain: bool) -> str:
    """Name the question.

    Args:
        digest: SHA-256 of the artifact that must decide.
        explain: Give the reasons of approvals, too.
    """
    return f"/runner/{digest}/{'explained' if explain else 'plain'}"


def encoded_rows(rows: NDArray[np.float64]) -> bytes:
    """Encode rows, shape (n, n_columns)."""
    return rows.astype(_FLOAT, order="C", copy=False).tobytes()


def read_rows(body: bytes, n_columns: int) -> NDArray[np.float64]:
    """Read rows, shape (n, n_columns), n at least 1.

    Raises:
        WireError: If the bytes are not whole rows.
    """
    row_bytes = n_columns * _FLOAT.itemsize
    if not body or len(body) % row_bytes:
        raise WireError(
            f"{len(body)} bytes are not whole rows of {n_columns} columns each"
        )
    # A copy: kernels are compiled for arrays that may be written.
    return np.frombuffer(body, _FLOAT).reshape(-1, n_columns).astype(np.float64)


def encoded_outcomes(outcomes: Sequence[Decision | None]) -> bytes:
    """Encode the decision on each row; None where the runner failed."""
    return _ENCODER.encode(outcomes)


def read_outcomes(body: bytes, n_rows: int) -> list[Decision | None]:
    """Read the decision on each row; None where the runner failed.

    Raises:
        WireError: If the bytes are not the outcomes of so many rows.
    """
    try:
        outcomes = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise WireError("the answer is not a list of decisions") from None
    if len(outcomes) != n_rows:
        raise WireError(f"{len(outcomes)} decisions for {n_rows} rows")
    return outcomes
