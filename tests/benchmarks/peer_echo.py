"""A bare ASGI app on the same server: what HTTP alone costs."""

import os
from collections.abc import Callable
from typing import Any

AsgiApp = Callable[[Any, Any, Any], Any]


def echo() -> AsgiApp:
    """Read the body, and answer with as many bytes as the service does."""
    body = b'"' + b"x" * (int(os.environ["BENCH_ANSWER_BYTES"]) - 2) + b'"'
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
        ],
    }
    end = {"type": "http.response.body", "body": body}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        await send(start)
        await send(end)

    return app
