"""A gateway before two servers that note what they get."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from credit_scoring.serving.local_server import HOST, free_port

from .running import GATEWAY, Gateway, Upstream

_MODULES = (
    "/usr/lib/nginx/modules/ngx_http_js_module.so",
    "/usr/lib64/nginx/modules/ngx_http_js_module.so",
)
MakeKey = Callable[..., str]


@pytest.fixture(scope="session")
def module() -> str:
    """nginx's module for JavaScript; without it or nginx the test is skipped."""
    found = [path for path in _MODULES if Path(path).is_file()]
    nginx = [
        folder
        for folder in ("/usr/sbin", "/usr/bin")
        if Path(folder, "nginx").is_file()
    ]
    if not found or not nginx:
        pytest.skip(
            "nginx is not installed "
            "(Debian: apt-get install nginx-light libnginx-mod-http-js)"
        )
    return found[0]


@pytest.fixture(scope="module")
def upstreams() -> Iterator[list[Upstream]]:
    first, second = Upstream(free_port()), Upstream(free_port())
    with first.running(), second.running():
        yield [first, second]


@pytest.fixture(scope="module")
def mlflow() -> Iterator[Upstream]:
    with Upstream(free_port()).running() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(
    module: str,
    upstreams: list[Upstream],
    mlflow: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    gateway = Gateway(
        tmp_path_factory.mktemp("gateway"),
        tuple(f"{HOST}:{one.port}" for one in upstreams),
        mlflow=f"{HOST}:{mlflow.port}",
    )
    gateway.prepare(module)
    gateway.keys.touch()
    with gateway.running():
        yield gateway


@pytest.fixture(scope="module")
def make_key(gateway: Gateway) -> MakeKey:
    return lambda name, *words: new_key(gateway, name, *words)


def new_key(gateway: Gateway, name: str, *words: str) -> str:
    """Make a key by the command that operators use."""
    command = [str(GATEWAY / "keys.py"), "--file", str(gateway.keys), "add", name]
    done = subprocess.run(
        [sys.executable, *command, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def bearer(make_key: MakeKey) -> dict[str, str]:
    """An Authorization header for each role, and one for all of them."""
    roles = ("score", "outcomes", "monitor", "admin")
    keys = {
        role: make_key(f"only-{role}", "--roles", role, "--rate", "high")
        for role in roles
    }
    keys["all"] = make_key("all", "--roles", ",".join(roles), "--rate", "high")
    return {role: f"Bearer {key}" for role, key in keys.items()}


@pytest.fixture(autouse=True)
def forgotten(request: pytest.FixtureRequest) -> None:
    """Let each test begin with nothing seen and every server answering."""
    if "gateway" not in request.fixturenames:
        return
    upstreams = [
        *request.getfixturevalue("upstreams"),
        request.getfixturevalue("mlflow"),
    ]
    for upstream in upstreams:
        upstream.seen.clear()
        upstream.behaviour = "answer"
