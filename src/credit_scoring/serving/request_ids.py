"""Request ids: the name under which a request is found in every log it passed."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from credit_scoring.serving.problems import Header

HEADER = "X-Request-Id"

_NAME = HEADER.lower().encode()
_FORM = re.compile(rb"\A[A-Za-z0-9._-]{1,64}\Z")


class Traces(NamedTuple):
    """What ties the record of a decision to the request that asked for it.

    Attributes:
        idempotency_key_hash: SHA-256 of the request's idempotency key, if any.
        request_id: As the gateway gave it, if it did.
    """

    idempotency_key_hash: str | None = None
    request_id: str | None = None


UNTRACED = Traces()


def request_id_of(headers: Sequence[Header]) -> str | None:
    """Find the id of a request among its headers.

    Returns:
        1 to 64 letters, digits, `.`, `_` and `-`; None where there is no such id.
        One of another form, or two of them, are left out of the record: what
        helps to find a decision later must not keep anybody from getting it.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == _NAME:
            if found is not None or _FORM.match(value) is None:
                return None
            found = value
    return None if found is None else found.decode("ascii")
