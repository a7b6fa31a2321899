"""The bare echo in front of BentoML's app: served as the service is served."""

from typing import Any

import bentoml
from _bentoml_sdk import Service
from peer_echo import AsgiApp, echo


class EchoingService(Service[Any]):  # type: ignore[misc]  # it ships no types
    """BentoML runs the start and the shutdown; every request is the echo's."""

    def to_asgi(self, is_main: bool = True) -> AsgiApp:
        """Put the echo in front."""
        behind, front = super().to_asgi(is_main=is_main), echo()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            chosen = front if scope["type"] == "http" else behind
            await chosen(scope, receive, send)

        return app


@bentoml.service(
    workers=1, service_class=EchoingService, logging={"access": {"enabled": False}}
)
class Echo:
    """Has no API: the echo answers before BentoML."""
