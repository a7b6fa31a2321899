"""The commands that speak to a container stack of the tests' own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from credit_scoring.serving.local_server import free_port

PROJECT = Path(__file__).parents[2]
TRAINING = "localhost/credit_scoring-training:stack-test"
SERVERS = "localhost/credit_scoring-servers:bookworm"
# Images take long to make, so they stay here from one run to the next.
STORE = Path("/var/tmp/credit_scoring-containers")  # noqa: S108 - not temporary
_READY_SECONDS = 300
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_STORAGE_CONF = """
[storage]
driver = "overlay"
runroot = "{store}/run"
graphroot = "{store}/storage"
"""
# For machines without systemd and with limits that may not be raised.
_CONTAINERS_CONF = f"""
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
volumes = ["{_CERTIFICATES}:{_CERTIFICATES}:ro"]
env = ["SSL_CERT_FILE={_CERTIFICATES}", "PIP_CERT={_CERTIFICATES}"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class StackError(RuntimeError):
    """The stack does not do what it must; with what was said last."""


@dataclass
class Stack:
    """A stack of its own, beside any other on this machine.

    Attributes:
        work: Folder of everything that it makes.
        training: Image that trains, and serves MLflow.
        port: The gateway's.
        rows: Lines of the table.
        name: Of the project; containers, networks and volumes begin with it.
        override: Compose file that says what the servers are made of.
        prefixes: Of the addresses of the networks `serving` and `tracking`.
        variables: More of what the compose files ask for.
    """

    work: Path
    training: str
    port: int = field(default_factory=free_port)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    name: str = "credit-scoring-test"
    override: Path = Path("compose.debian.yaml")
    prefixes: tuple[str, str] = ("10.89.171", "10.89.173")
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The copy of deployment/compose."""
        return self.work / "deployment" / "compose"

    @property
    def command(self) -> list[str]:
        """The command that speaks to the stack."""
        files = ["-f", str(self.folder / "compose.yaml")]
        files += ["-f", str(self.folder / self.override)]
        return [str(Path(sys.executable).with_name("podman-compose")), *files]

    @property
    def environment(self) -> dict[str, str]:
        """Variables of every command."""
        return {
            **os.environ,
            "COMPOSE": " ".join(self.command),
            "COMPOSE_PROJECT_NAME": self.name,
            "SERVING_PREFIX": self.prefixes[0],
            "TRACKING_PREFIX": self.prefixes[1],
            "SERVICE_WORKERS": "2",
            "GATEWAY_PORT": str(self.port),
            "BENTOML_HOME": str(self.work / "state" / "bentoml"),
            "ENV_FILE": str(self.folder / ".env"),
            **self.variables,
        }

    def run(self, *command: str | Path, input_: bytes | None = None) -> str:
        """Run a command to success and give what it says.

        Raises:
            StackError: If it fails.
        """
        done = subprocess.run(
            [str(part) for part in command],
            env=self.environment,
            capture_output=True,
            input=input_ if input_ is not None else b"",
            check=False,
            timeout=1800,
        )
        if done.returncode:
            said = (done.stderr + done.stdout).decode(errors="replace")[-9000:]
            raise StackError(f"{Path(str(command[0])).name} {command[1:4]}: {said}")
        return done.stdout.decode()

    def compose(self, *arguments: str) -> str:
        """Run a command of the stack."""
        return self.run(*self.command, *arguments)

    def container(self, service: str) -> str:
        """Name a service's container."""
        return f"{self.name}_{service}_1"

    def healthy(self, service: str) -> bool:
        """Ask for a service's own health check."""
        done = subprocess.run(
            ["podman", "healthcheck", "run", self.container(service)],
            env=self.environment,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def wait(self, what: str, ready: Callable[[], bool]) -> float:
        """Wait for something; give the seconds that it took.

        Raises:
            StackError: If it does not come about.
        """
        started = time.monotonic()
        while not ready():
            if time.monotonic() - started > _READY_SECONDS:
                logs = self.compose("logs", "--tail", "15")
                raise StackError(f"{what} was not ready: {logs[-9000:]}")
            time.sleep(0.5)
        return time.monotonic() - started

    def roll_out(self, image: str) -> None:
        """Put an image in the place of the servers'."""
        self.run(self.folder / "rollout.sh", image)

    def watched(self) -> bool:
        """Ask Prometheus and Alertmanager whether all is seen and can be told."""
        targets = self.run(
            *("podman", "exec", self.container("prometheus"), "promtool", "query"),
            *("instant", "http://127.0.0.1:9090", "sum(up) == count(up) == 4"),
        )
        heard = self.run(
            *("podman", "exec", self.container("alertmanager"), "amtool"),
            *("--alertmanager.url=http://127.0.0.1:9093", "alert", "query"),
            "alertname=Watchdog",
        )
        return "4 @" in targets and "Watchdog" in heard

    def secrets(self, *arguments: str) -> None:
        """Make secrets anew, or set values."""
        script = self.folder / "make_secrets.py"
        self.run(sys.executable, script, "--folder", self.folder, *arguments)

    def train(self, *arguments: str) -> str:
        """Run a command in the training image, within the tracking network."""
        mounts = {
            self.work / "state" / "data": "/app/project/data",
            self.work / "state" / "bentos": "/app/project/bentos",
            self.work / "state": "/var/lib/credit_scoring",
            self.folder / "secrets" / "signing": "/run/signing",
        }
        volumes = [f"--volume={host}:{inside}" for host, inside in mounts.items()]
        return self.run(
            *("podman", "run", "--rm", "--read-only", "--cap-drop=ALL", *volumes),
            f"--network={self.name}_tracking",
            "--env=MLFLOW_TRACKING_URI=http://mlflow:5000",
            "--env=KEDRO_ENV=test",
            "--env=MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD=false",
            "--env=CREDIT_SCORING_SIGNING_KEY_FILE=/run/signing/promotion.pem",
            self.training,
            *arguments,
        )

    def released(self) -> str:
        """Tag of the Bento that was packed last."""
        release = self.work / "state" / "bentos" / "releases" / "current.json"
        bento: str = json.loads(release.read_bytes())["bento"]
        return bento

    def build(self, image: str) -> str:
        """Build the image of the newest Bento."""
        self.run(
            *("env", f"IMAGE={image}", "BACKEND=podman", f"PYTHON={_python()}"),
            *(PROJECT / "deployment" / "image" / "build.sh", self.released()),
        )
        return image

    def relabelled(self, image: str, name: str) -> str:
        """Make another image that differs in a label alone."""
        self.run(
            *("podman", "build", "--quiet", "--tag", name, "--label", "release=2"),
            "-",
            input_=f"FROM {image}\n".encode(),
        )
        return name


def _python() -> str:
    return os.path.relpath(sys.executable, PROJECT)


def plain_containers(store: Path = STORE) -> dict[str, str]:
    """Give the variables that let podman run where there is no systemd.

    Args:
        store: Folder for images and containers.

    Returns:
        Nothing where podman is configured already.
    """
    if "CONTAINERS_CONF" in os.environ or Path("/run/systemd/system").is_dir():
        return {}
    store.mkdir(parents=True, exist_ok=True)
    variables = {}
    for name, text in (
        ("CONTAINERS_STORAGE_CONF", _STORAGE_CONF.format(store=store)),
        ("CONTAINERS_CONF", _CONTAINERS_CONF),
    ):
        file = store / f"{name.lower()}.toml"
        file.write_text(text, encoding="utf-8")
        variables[name] = str(file)
    return variables


def make_images(stack: Stack, *, training: bool) -> None:
    """Make the images that no registry gives here: base, servers, training."""
    stack.run(PROJECT / "deployment" / "image" / "stand_in_base.sh")
    context = PROJECT / "deployment" / "compose"
    stack.run(
        *("podman", "build", "--quiet", "--layers", "--tag", SERVERS),
        *("-f", context / "servers.Dockerfile", context),
    )
    if training:
        stack.run(
            *("make", "-C", PROJECT, "training-image", "ENGINE=podman"),
            f"IMAGE={TRAINING}",
        )
