"""Texts that may be too large for memory: bytes, or the map of a file."""

import mmap
from collections.abc import Iterator

Body = bytes | mmap.mmap

_BLOCK_BYTES = 1 << 20


def blocks(body: Body) -> Iterator[bytes]:
    """Give a body in pieces that fit into memory."""
    for start in range(0, len(body), _BLOCK_BYTES):
        yield body[start : start + _BLOCK_BYTES]


def count(body: Body, character: bytes) -> int:
    """Count a character, as bytes of length 1."""
    return sum(block.count(character) for block in blocks(body))


def lines(body: Body) -> Iterator[bytes]:
    """Give the lines that are not blank, without their ends."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        line = body[start:end]
        if line.strip(b" \t\r"):
            yield line
        start = end + 1
