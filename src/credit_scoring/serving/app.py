"""The service's own routes as one ASGI application, and what stands beside them.

The application stands in front of BentoML's whole app. A request to one of our
routes never enters BentoML's middleware (tracing, metrics, access log, timers),
which costs many times more than the decision.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from credit_scoring.errors import InvalidRequestError
from credit_scoring.serving.draining import Draining
from credit_scoring.serving.incidents import report_incident
from credit_scoring.serving.messages import (
    AsgiApp,
    ClientLeftError,
    Message,
    Receive,
    Reply,
    Scope,
    Send,
    StreamedReply,
    problem_reply,
    send_parts,
    send_reply,
)
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.problems import (
    ProblemError,
    invalid_request,
    leaving,
    method_not_allowed,
    not_found,
)

READY_PATH = "/readyz"
METRICS_PATH = "/metrics"
_OTHER = "other"


class Answerer(Protocol):
    """What a route does with a request of its method."""

    async def __call__(self, scope: Scope, receive: Receive) -> Reply | StreamedReply:
        """Answer one request.

        Raises:
            ProblemError: If the answer is a problem.
            InvalidRequestError: If fields of the request break the contract.
            ClientLeftError: If nobody is there to be answered.
        """


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the service.

    Attributes:
        path: As clients ask for it, and as metrics name it by default.
        method: The one method it takes, besides OPTIONS (and HEAD with GET).
        answer: Answers a request of that method.
        label: As metrics name it instead, where many paths belong together.
    """

    path: str
    method: str
    answer: Answerer
    label: str = ""

    @property
    def allowed(self) -> str:
        """Methods the path takes, as the Allow header lists them."""
        head = "HEAD, " if self.method == "GET" else ""
        return f"{self.method}, {head}OPTIONS"


class ScoringApp:
    """Answers the routes, and every other path with 404."""

    def __init__(
        self,
        routes: tuple[Route, ...],
        metrics: ServiceMetrics,
        *,
        starting: Callable[[], None] = lambda: None,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """Serve the routes.

        Args:
            routes: Every path there is.
            metrics: Counts the requests.
            starting: What is to be done when the server starts.
            closing: What is to be done when the last request is answered, in
                this order.
        """
        self.start = starting
        self._closing = tuple(closing)
        self._routes = {route.path: route for route in routes}
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        started = perf_counter()
        route = self._routes.get(scope["path"])
        try:
            reply = await _answer(route, scope, receive)
            if isinstance(reply, StreamedReply):
                reply = await _send_parts(reply, receive, send)
            else:
                await send_reply(send, reply)
        except ClientLeftError:
            return
        name = _OTHER if route is None else route.label or route.path
        seconds = perf_counter() - started
        self._metrics.count_request(name, reply.status, seconds, reply.problem)

    async def close(self) -> None:
        """End what goes on behind the routes; the last request is answered."""
        for close in self._closing:
            await close()


async def _send_parts(reply: StreamedReply, receive: Receive, send: Send) -> Reply:
    """Send an answer as it is made; give what is to be counted for it."""
    try:
        await send_parts(send, receive, reply)
    except ClientLeftError:
        raise
    except Exception as error:  # noqa: BLE001 - the server cuts the answer off
        return problem_reply(report_incident(error))
    return Reply(200, b"", reply.headers)


async def _answer(
    route: Route | None, scope: Scope, receive: Receive
) -> Reply | StreamedReply:
    try:
        if route is None:
            raise not_found()
        if scope["method"] == route.method:
            return await route.answer(scope, receive)
        return await _answer_other_method(route, scope, receive)
    except InvalidRequestError as error:
        return problem_reply(invalid_request(error.errors))
    except ProblemError as error:
        return problem_reply(error.problem, error.headers)
    except ClientLeftError:
        raise
    except Exception as error:  # noqa: BLE001 - becomes a 500 that says nothing
        return problem_reply(report_incident(error))


async def _answer_other_method(
    route: Route, scope: Scope, receive: Receive
) -> Reply | StreamedReply:
    method = scope["method"]
    if method == "OPTIONS":
        return Reply(200, b"", ((b"allow", route.allowed.encode()),))
    if method == "HEAD" and route.method == "GET":
        return await route.answer(scope, receive)
    raise method_not_allowed(route.allowed)


class FrontDoor:
    """Sends BentoML's own paths to BentoML, and everything else to our app.

    An unknown path is ours, too: BentoML would make each one a new value of a
    metric's label, so a scanner could fill the memory.
    """

    def __init__(  # noqa: PLR0913 - one for each collaborator
        self,
        scoring_app: Callable[[], AsgiApp],
        *,
        behind: AsgiApp,
        paths_behind: Mapping[str, frozenset[str]],
        draining: Draining | None = None,
        on_start: Callable[[], None] = lambda: None,
        before_metrics: Callable[[], None] = lambda: None,
    ) -> None:
        """Stand in front.

        Args:
            scoring_app: Gives our app once the service has started.
            behind: BentoML's app; it also runs the start and the shutdown.
            paths_behind: Its paths, with the methods that each takes.
            draining: Installed when the server has started; None ends at once.
            on_start: Called just before that, in the server's loop.
            before_metrics: Called before the metrics are shown.
        """
        self._before_metrics = before_metrics
        self._on_start = on_start
        self._draining = draining or Draining(lambda: 0.0)
        self._scoring_app = scoring_app
        self._behind = behind
        self._paths_behind = dict(paths_behind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection, or run the server's lifespan."""
        kind = scope["type"]
        if kind == "http":
            if self._draining.begun:
                send = _closing(send)
            await self._answer(scope, receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self._behind(scope, receive, self._watching_the_start(send))

    def _watching_the_start(self, send: Send) -> Send:
        async def watched(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._on_start()
                self._draining.install()
            await send(message)

        return watched

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = self._paths_behind.get(scope["path"])
        if allowed is None:
            await self._scoring_app()(scope, receive, send)
        elif self._draining.begun and scope["path"] == READY_PATH:
            await send_reply(send, problem_reply(leaving().problem))
        elif scope["method"] in allowed:
            if scope["path"] == METRICS_PATH:
                self._before_metrics()
            await self._behind(scope, receive, send)
        else:
            refusal = method_not_allowed(", ".join(sorted(allowed)))
            await send_reply(send, problem_reply(refusal.problem, refusal.headers))


def _closing(send: Send) -> Send:
    """Tell the client with each answer that its connection ends here."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        await send(message)

    return closing
