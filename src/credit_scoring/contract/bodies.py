"""Texts that may be too large for memory: bytes, or the map of a file."""

import codecs
import mmap
from collections.abc import Iterator

Body = bytes | mmap.mmap

_BLOCK_BYTES = 1 << 20
# In UTF-8, all bytes of a character but its first.
_FURTHER_BYTES = bytes(range(0x80, 0xC0))


def blocks(body: Body, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Give a body, or its bytes from ``start`` to ``end``, in pieces that fit."""
    end = len(body) if end is None else end
    for place in range(start, end, _BLOCK_BYTES):
        yield body[place : min(place + _BLOCK_BYTES, end)]


def count(body: Body, character: bytes, *, before: int | None = None) -> int:
    """Count a character, as bytes of length 1, before a place or in all."""
    return sum(block.count(character) for block in blocks(body, end=before))


def characters(body: Body, start: int, end: int) -> int:
    """Count the characters of UTF-8 that begin from ``start`` to ``end``."""
    return sum(
        len(block.translate(None, _FURTHER_BYTES)) for block in blocks(body, start, end)
    )


def not_utf8_at(body: Body) -> int | None:
    """Find the first byte that is no UTF-8; None if all is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    before = 0
    for block in blocks(body):
        # A character may begin in the block before.
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(block, before + len(block) == len(body))
        except UnicodeDecodeError as error:
            return before - held + error.start
        before += len(block)
    return None


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
