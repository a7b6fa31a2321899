"""How our app stands in front of the one that BentoML builds for a service."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import yaml
from _bentoml_sdk import Service
from bentoml import Bento
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from credit_scoring.serving.app import FrontDoor
from credit_scoring.serving.draining import Draining
from credit_scoring.serving.messages import AsgiApp
from credit_scoring.serving.metrics_folder import use_metrics_folder
from credit_scoring.serving.refusal import ending_the_server
from credit_scoring.serving.start import quick_start

if TYPE_CHECKING:
    from credit_scoring.serving.connections import HeadLimits

Json = dict[str, Any]

_READ_ONLY = frozenset({"GET", "HEAD"})


class FrontedInstance(Protocol):
    """What a service class must offer to be put in front."""

    app: AsgiApp
    drain_seconds: float
    head_limits: "HeadLimits"

    def count(self) -> None:
        """Count what is noted; the metrics are to be shown."""

    def api_document(self, version: str | None) -> Json:
        """Describe the app's routes."""


class FrontedService(Service[Any]):  # type: ignore[misc]  # it ships no types
    """A BentoML service whose own app stands behind ours.

    BentoML runs the start, the shutdown, health, metrics and documents. The class
    it serves has ``app``, our ASGI application, ``api_document(version)``, which
    describes our routes, ``drain_seconds``, how long it answers after SIGTERM, and
    ``head_limits``, what a request's head may be, and ``count()``, which is called
    before the metrics are shown.
    """

    _instance: FrontedInstance | None = None

    def __call__(self) -> Any:
        """Make the instance, once at start, and keep it for the front.

        What is refused then ends the whole server, with the reason.
        """
        with ending_the_server(), quick_start():
            self._instance = super().__call__()
        return self._instance

    def to_asgi(self, is_main: bool = True) -> Any:
        """Build BentoML's app and put ours in front."""
        # BentoML's supervisor imports this module too, and needs no server.
        from credit_scoring.serving.connections import ConnectionBounds

        use_metrics_folder()
        behind: Starlette = super().to_asgi(is_main=is_main)
        # BentoML keeps uvicorn's own log of requests silent, but uvicorn composes
        # its lines unless it sees that nobody listens at all.
        logging.getLogger("uvicorn.access").propagate = False
        return FrontDoor(
            self._our_app,
            behind=behind,
            paths_behind=paths_of(behind),
            draining=Draining(lambda: self._started.drain_seconds),
            on_start=ConnectionBounds(lambda: self._started.head_limits).install,
            before_metrics=self._count,
        )

    def on_load_bento(self, bento: Bento) -> None:
        """Learn the Bento, which may have been built without the runners apart."""
        for service in self.all_services().values():
            service.bento = bento

    @property
    def openapi_spec(self) -> Any:
        """Describe our routes and BentoML's."""
        # Numpy comes with it, which BentoML's supervisor has no other use for.
        from credit_scoring.serving.openapi import with_infrastructure

        # BentoML writes the document into the Bento with the plain YAML dumper.
        yaml.add_representer(ApiDocument, _represent)
        document = self._described()
        return ApiDocument(with_infrastructure(document, super().openapi_spec.asdict()))

    def schema(self) -> Json:
        """Describe our routes for BentoML's clients, which make methods of them."""
        from credit_scoring.serving.client_routes import client_routes

        return {**super().schema(), "routes": client_routes(self._described())}

    def _described(self) -> Json:
        version = self.bento.tag.version if self.bento else None
        # A Bento is described while it is built, without being served.
        instance = self._instance or self()
        return instance.api_document(version)

    def _our_app(self) -> AsgiApp:
        return self._started.app

    def _count(self) -> None:
        self._started.count()

    @property
    def _started(self) -> FrontedInstance:
        if self._instance is None:
            raise RuntimeError("the service has not started")
        return self._instance


class ApiDocument(dict[str, Any]):
    """An OpenAPI document in the form in which BentoML handles one."""

    def asdict(self) -> Json:
        """Give it as BentoML's page wants it."""
        return dict(self)


def _represent(dumper: yaml.Dumper, document: ApiDocument) -> yaml.Node:
    return dumper.represent_dict(dict(document))


def paths_of(app: Starlette) -> Mapping[str, frozenset[str]]:
    """List the paths that an app answers, with the methods of each.

    Of mounted static files each file is a path of its own, so that the list is
    complete and nothing else gets through.
    """
    paths: dict[str, frozenset[str]] = {}
    for route in app.routes:
        if isinstance(route, Route):
            paths[route.path] = frozenset(route.methods or _READ_ONLY)
        elif isinstance(route, Mount) and isinstance(route.app, StaticFiles):
            for folder in route.app.all_directories:
                for file in Path(folder).rglob("*"):
                    path = f"{route.path}/{file.relative_to(folder).as_posix()}"
                    paths[path] = _READ_ONLY
    # The start page is ours: BentoML's loads a tracker of a third party.
    paths.pop("/", None)
    return paths
