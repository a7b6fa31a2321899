"""A bare ASGI app: what HTTP alone costs."""

from collections.abc import Callable
from typing import Any

AsgiApp = Callable[[Any, Any, Any], Any]

_JSON_TYPE = (b"content-type", b"application/json")


def echo() -> AsgiApp:
    """Answer each request with its own body."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        length = (b"content-length", b"%d" % len(body))
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [_JSON_TYPE, length],
            }
        )
        await send({"type": "http.response.body", "body": body})

    return app
