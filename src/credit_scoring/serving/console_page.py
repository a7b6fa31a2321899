"""``/console``: the page where a person looks, from this server alone."""

from pathlib import Path

from credit_scoring.serving.app import Route
from credit_scoring.serving.messages import Receive, Reply, Scope
from credit_scoring.serving.problems import Header
from credit_scoring.serving.static_files import StaticFile

CONSOLE_PATH = "/console"
_FOLDER = Path(__file__).with_name("console")
_PAGE = "index.html"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# Nothing is loaded from, or sent to, anywhere else; no script or style stands in the
# page itself; no text becomes markup; no other page may frame it.
SECURITY: tuple[Header, ...] = (
    (
        b"content-security-policy",
        b"default-src 'self'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'; object-src 'none'; "
        b"require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def console_routes() -> tuple[Route, ...]:
    """Give a route for the page and for each of its files, read once."""
    files = {path.name: _file(path) for path in sorted(_FOLDER.iterdir())}
    page = files.pop(_PAGE)
    return (
        Route(CONSOLE_PATH, "GET", page),
        Route(f"{CONSOLE_PATH}/", "GET", _to_the_page, label=CONSOLE_PATH),
        *(
            Route(f"{CONSOLE_PATH}/{name}", "GET", file, label=CONSOLE_PATH)
            for name, file in files.items()
        ),
    )


def _file(path: Path) -> StaticFile:
    return StaticFile(path.read_bytes(), _TYPES[path.suffix], headers=SECURITY)


async def _to_the_page(scope: Scope, receive: Receive) -> Reply:
    """Lead to the page, whose own links are relative to its one address."""
    return Reply(308, b"", ((b"location", b"../console"),))
