"""The body of a batch: a small one in memory, a larger one in a file without a name."""

import asyncio
import logging
import mmap
import tempfile
from typing import IO

from credit_scoring.contract.bodies import Body
from credit_scoring.serving.messages import (
    BodyLimits,
    Receive,
    Scope,
    body_parts,
    check_headers,
)
from credit_scoring.serving.problems import body_not_kept, body_too_slow

_LOG = logging.getLogger(__name__)

# A body up to this size stays in memory; of a larger one, so much at a time does.
_MEMORY_BYTES = 1 << 20


async def read_spooled_body(
    scope: Scope, receive: Receive, limits: BodyLimits, *, also: tuple[bytes, ...]
) -> Body:
    """Read a body of any size with little memory.

    Args:
        scope: Of the request.
        receive: Gives its body.
        limits: Of its size and time.
        also: Content types that the route takes besides JSON.

    Returns:
        Bytes; or the map of a file in the temporary folder, which goes with it.

    Raises:
        ProblemError: As `read_json_body`, or if there is no room for it (503).
        ClientLeftError: If the client left before the body was complete.
    """
    check_headers(scope["headers"], limits.size_bytes, also)
    spool = _Spool()
    try:
        async with asyncio.timeout(limits.timeout_ms / 1000):
            async for part in body_parts(receive, await receive(), limits.size_bytes):
                await spool.add(part)
            return await spool.body()
    except TimeoutError:
        raise body_too_slow(limits.timeout_ms) from None
    except OSError as error:
        _LOG.error("%s has no room for a batch: %s", tempfile.gettempdir(), error)
        raise body_not_kept() from None
    finally:
        spool.close()


class _Spool:
    """Keeps a body as it comes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0
        self._file: IO[bytes] | None = None

    async def add(self, part: bytes) -> None:
        self._parts.append(part)
        self._held += len(part)
        if self._held > _MEMORY_BYTES:
            await asyncio.to_thread(self._write)

    async def body(self) -> Body:
        if self._file is None:
            return b"".join(self._parts)
        await asyncio.to_thread(self._write)
        # The map has a handle of its own.
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed
        rest = memoryview(b"".join(self._parts))
        while rest:
            rest = rest[self._file.write(rest) :]
        self._parts, self._held = [], 0
