"""A rollout and faults in real containers: ``make containers-test``.

On the machine's own files, where neither a registry nor time for images is there;
``make stack-test`` has all of the stack, in images.
"""

import base64
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.deployment import stack as rehearsal
from tests.deployment.stack_engine import PROJECT, Stack, StackError, plain_containers
from tests.deployment.stack_load import Load

from credit_scoring.registry.bento_build import build_bento

pytestmark = pytest.mark.end_to_end

OVERRIDE = PROJECT / "tests" / "deployment" / "compose.host.yaml"
PROGRAMS = ("podman", "runc", "nginx", "redis-server", "redis-cli")


@pytest.fixture(scope="module")
def work() -> Iterator[Path]:
    """A folder for everything, beside which podman works."""
    if os.geteuid() != 0:
        pytest.skip("containers of the machine's own files need root")
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    # Not below /tmp, which a container hides.
    folder = Path(tempfile.mkdtemp(prefix="credit_scoring-", dir="/var/tmp"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in plain_containers(folder / "containers").items():
                patch.setenv(name, value)
            if refused := why_no_containers():
                pytest.skip(f"podman runs no containers here: {refused[-300:]}")
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def why_no_containers() -> str:
    """Try once all that the stack asks of podman; says what is refused."""
    network = "credit-scoring-tried"
    address = f"{network}:ip=10.89.185.9,mac=02:63:72:65:64:09"
    limits = ("--memory=64m", "--cpus=1", "--pids-limit=64", "--cap-drop=ALL")
    said = ""
    for command in (
        ("network", "create", "--subnet=10.89.185.0/24", "--internal", network),
        (
            "run",
            "--rm",
            f"--network={address}",
            *limits,
            "--rootfs",
            "/:O",
            "/bin/true",
        ),
        ("network", "rm", network),
    ):
        done = subprocess.run(
            ["podman", *command], capture_output=True, text=True, check=False
        )
        said += done.stderr if done.returncode else ""
    return said


@pytest.fixture(scope="module")
def stack(work: Path, bento: str, project: Path) -> Iterator[Stack]:
    """Redis, two servers and the gateway."""
    stack = Stack(
        work,
        "none",
        name="credit-scoring-short",
        override=Path(OVERRIDE.name),
        prefixes=("10.89.181", "10.89.183"),
        variables={
            "BENTOML_HOME": os.environ["BENTOML_HOME"],
            "PROJECT": str(PROJECT),
            "PYTHON_FOLDER": str(Path(sys.executable).parent),
        },
    )
    rehearsal.copy_deployment(stack)
    shutil.copy(OVERRIDE, stack.folder)
    stack.secrets(
        *("--set", f"SERVICE_IMAGE={bento}"),
        *("--set", "TRAINING_IMAGE=none:1"),
        *("--set", "ALERT_WEBHOOK_URL=http://127.0.0.1:9/nobody"),
    )
    record = json.loads((project / "bentos" / "promotion_record.json").read_bytes())
    believe(stack, record["signature"]["public_key"])
    try:
        stack.compose(
            "up", "-d", "--no-deps", "redis", "service-1", "service-2", "gateway"
        )
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "5")


def believe(stack: Stack, raw_key: str) -> None:
    """Let the servers trust who signed the promotion of the tests' Bento."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(raw_key))
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (stack.folder / "secrets" / "trusted" / "tests.pem").write_bytes(pem)


@pytest.fixture(scope="module")
def load(stack: Stack) -> Load:
    load = rehearsal.callers(stack)
    stack.wait("the gateway", lambda: rehearsal.answers(load))
    return load


def test_a_refused_rollout_leaves_the_other_server_as_it_is(
    stack: Stack, load: Load, bento: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stack.variables, "WAIT_SECONDS", "3")

    def refused() -> None:
        with pytest.raises(StackError) as told:
            stack.roll_out("credit_scoring:no_such")
        told.match("service-1 is not ready with credit_scoring:no_such")
        told.match(f"Take it back: rollout.sh {bento}")
        # What the server said itself.
        told.match("'credit_scoring:no_such' is not found in BentoML store")

    rehearsal.under_load(stack, load, "refused rollout", refused)

    assert rehearsal.check_rows(stack.rows[-1:]) == []
    assert bento in command_of(stack, "service-2")
    env = (stack.folder / ".env").read_text(encoding="utf-8")
    assert f"SERVICE_IMAGE={bento}\n" in env


def command_of(stack: Stack, server: str) -> str:
    """Tell what a server was started with."""
    return stack.run(
        *("podman", "inspect", stack.container(server)),
        *("--format", "{{.Config.Cmd}}"),
    )


def test_a_rollout_under_load_fails_no_request(
    stack: Stack, load: Load, project: Path
) -> None:
    """It also takes back what was refused: one server is down when it begins."""
    models, record = (
        json.loads((project / "bentos" / name).read_bytes())
        for name in ("models.json", "promotion_record.json")
    )
    other = build_bento(project / "bentos", models, record)

    rehearsal.under_load(stack, load, "rollout", lambda: stack.roll_out(other))

    assert rehearsal.check_rows(stack.rows[-1:]) == []
    for server in ("service-1", "service-2"):
        assert other in command_of(stack, server)
    env = (stack.folder / ".env").read_text(encoding="utf-8")
    assert f"SERVICE_IMAGE={other}\n" in env


@pytest.mark.parametrize("service", ["service-1", "redis"])
def test_a_killed_container_fails_and_loses_nothing(
    stack: Stack, load: Load, service: str
) -> None:
    kill = functools.partial(rehearsal.kill, stack, service)

    rehearsal.under_load(stack, load, f"{service} killed", kill)

    assert rehearsal.check_rows(stack.rows[-1:]) == []
