"""Digests and salted shares: the same on every machine and in every process."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_CHUNK_BYTES = 1 << 20


def canonical_json(value: object) -> bytes:
    """Encode a value as JSON with sorted keys and no spaces, as UTF-8.

    Raises:
        ValueError: If the value holds NaN or an infinity, which JSON cannot say.
    """
    return json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    ).encode()


def sha256_of_json(value: object) -> str:
    """Digest a JSON-like value, independent of the order of its keys."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Digest a file's bytes in bounded memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def salted_shares(identifiers: Iterable[str], salt: str) -> NDArray[np.float64]:
    """Place each identifier at a fixed point of [0, 1), evenly and for ever.

    The point depends on the identifier and the salt alone, so an identifier
    keeps its split or routing arm when data is added, after a restart, and on
    every worker.

    Args:
        identifiers: Loan ids.
        salt: Names the use; another salt gives an independent placement.

    Returns:
        Shape (n_identifiers,), in [0, 1): the first 53 bits of the SHA-256 of
        ``salt`` + NUL + identifier, over 2**53 (exact in a float64).
    """
    prefix = hashlib.sha256(salt.encode() + b"\0")
    heads = bytearray()
    for identifier in identifiers:
        digest = prefix.copy()
        digest.update(identifier.encode())
        heads += digest.digest()[:8]
    bits = np.frombuffer(bytes(heads), dtype=">u8").astype(np.uint64) >> np.uint64(11)
    return bits.astype(np.float64) / 2.0**53
