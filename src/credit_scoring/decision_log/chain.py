"""How lines are tied together, so that no change to them goes unseen.

A line is a JSON object that begins with its number and the hash of the line
before it, and ends with its own hash: the SHA-256 of everything before
``,"hash":``. So `sha256sum` verifies a line without knowing what it says.
"""

import hashlib
import re
from dataclasses import dataclass

GENESIS = b"0" * 64
# A line's tail, which its hash does not cover.
TAIL_BYTES = len(b',"hash":""}\n') + len(GENESIS)
_HEAD = re.compile(rb'\{"sequence":(0|[1-9][0-9]{0,17}),"previous":"([0-9a-f]{64})",')
_TAIL = re.compile(rb',"hash":"([0-9a-f]{64})"\}\n')


def chained(sequence: int, previous: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Tie a line to the one before it.

    Args:
        sequence: Its number: 0 for the first, then one more each.
        previous: Hash of the line before, 64 hex digits; `GENESIS` for the first.
        content: A JSON object that is not empty.

    Returns:
        The whole line and its hash.
    """
    covered = b'{"sequence":%d,"previous":"%b",%b' % (sequence, previous, content[1:-1])
    own = hashlib.sha256(covered).hexdigest().encode()
    return b'%b,"hash":"%b"}\n' % (covered, own), own


@dataclass(frozen=True, slots=True)
class Link:
    """A line as it stands in a file.

    Attributes:
        sequence: The number that it says.
        previous: The hash that it says the line before has.
        stated: Its own hash, as it says.
        computed: Its own hash, as its bytes give it.
        content: All of it but its number and the hashes, as a JSON object.
    """

    sequence: int
    previous: bytes
    stated: bytes
    computed: bytes
    content: bytes


def link_of(line: bytes) -> Link | None:
    """Take a line apart; None if it is not one as `chained` makes it."""
    covered = line[:-TAIL_BYTES]
    head, tail = _HEAD.match(covered), _TAIL.fullmatch(line[-TAIL_BYTES:])
    if head is None or tail is None:
        return None
    return Link(
        sequence=int(head[1]),
        previous=head[2],
        stated=tail[1],
        computed=hashlib.sha256(covered).hexdigest().encode(),
        content=b"{%b}" % covered[head.end() :],
    )
