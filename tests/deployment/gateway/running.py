"""The real nginx with the gateway's own files, and servers that it may pass to."""

import contextlib
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from credit_scoring.serving.local_server import HOST, free_port

from ...bentos.raw_http import Answer, Wire

GATEWAY = Path(__file__).parents[3] / "deployment" / "gateway"
_START_SECONDS = 30.0

_MAIN = """load_module {module};
worker_processes 2;
daemon off;
{user}
"""
_HTTP = """js_var $gateway_keys_file {keys};
access_log {log} gateway;
upstream credit_scoring {{
    zone credit_scoring 64k;
    {servers}
    keepalive 8;
    keepalive_timeout 4s;
}}
upstream mlflow {{
    zone mlflow 64k;
    server {mlflow} max_fails=0;
}}
"""
_LISTEN = """listen {host}:{port} ssl default_server;
ssl_certificate {certificate};
ssl_certificate_key {certificate_key};
"""


@dataclass
class Seen:
    """A request as an upstream got it."""

    head: bytes
    body: bytes

    @property
    def target(self) -> str:
        """What was asked for."""
        return self.head.split(b" ", 2)[1].decode()

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(": ") for line in lines)
        return {name.lower(): value for name, _, value in pairs}


@dataclass
class Upstream:
    """A server that notes what it gets and answers as it is told."""

    port: int
    behaviour: str = "answer"
    seen: list[Seen] = field(default_factory=list)

    @contextlib.contextmanager
    def running(self) -> Iterator["Upstream"]:
        upstream = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                upstream.serve(self.rfile, self.connection)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        with Server((HOST, self.port), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def serve(self, stream: Any, connection: socket.socket) -> None:
        while head := self._head(stream):
            request = Seen(head, b"")
            length = int(request.headers.get("content-length", 0))
            self.seen.append(Seen(head, stream.read(length)))
            if self.behaviour == "drop":
                return
            status = b"503 Gone" if self.behaviour == "refuse" else b"200 OK"
            body = b"" if head.startswith(b"HEAD ") else b"{}"
            connection.sendall(
                b"HTTP/1.1 %s\r\ncontent-type: application/json\r\n"
                b"content-length: 2\r\n\r\n%s" % (status, body)
            )

    @staticmethod
    def _head(stream: Any) -> bytes:
        lines = []
        with contextlib.suppress(ConnectionError):
            while (line := stream.readline()) not in (b"\r\n", b""):
                lines.append(line)
        return b"".join(lines).removesuffix(b"\r\n")


@dataclass
class Gateway:
    """One nginx.

    Attributes:
        folder: Of its own; it need not exist.
        servers: Addresses of the scoring service.
        mlflow: Address of MLflow.
    """

    folder: Path
    servers: tuple[str, ...]
    mlflow: str = f"{HOST}:9"
    port: int = field(default_factory=free_port)
    inner_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def keys(self) -> Path:
        return self.folder / "keys" / "api_keys"

    @property
    def access_log(self) -> Path:
        return self.folder / "access.json"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.crt"

    def tls(self) -> ssl.SSLContext:
        """Trust the gateway's certificate, and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def client(self) -> httpx.Client:
        """A client that keeps its connections."""
        return httpx.Client(base_url=self.url, verify=self.tls(), timeout=30)

    def command(self, *words: str) -> list[str]:
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        run, conf = self.folder / "run", self.folder / "gateway" / "nginx.conf"
        return [str(nginx), "-p", str(run), "-c", str(conf), *words]

    def prepare(self, module: str) -> None:
        """Write the folder `local`, and all that it names."""
        shutil.copytree(GATEWAY, self.folder / "gateway")
        (self.folder / "run").mkdir()
        self.keys.parent.mkdir()
        make_certificate(self.folder)
        local = self.folder / "gateway" / "local"
        user = "user root;" if Path("/proc/self").owner() == "root" else ""
        (local / "main.conf").write_text(_MAIN.format(module=module, user=user))
        servers = "\n".join(
            f"server {one} max_fails=1 fail_timeout=5s;" for one in self.servers
        )
        (local / "http.conf").write_text(
            _HTTP.format(
                keys=self.keys,
                log=self.access_log,
                servers=servers,
                mlflow=self.mlflow,
            )
        )
        (local / "listen.conf").write_text(
            _LISTEN.format(
                host=HOST,
                port=self.port,
                certificate=self.certificate,
                certificate_key=self.folder / "server.key",
            )
        )
        inner = f"listen {HOST}:{self.inner_port};\n"
        (local / "inner_listen.conf").write_text(inner)

    @contextlib.contextmanager
    def running(self) -> Iterator["Gateway"]:
        """Run it until the block is left."""
        with (self.folder / "stderr.log").open("wb") as log:
            process = subprocess.Popen(self.command(), stderr=log)
        try:
            self._wait_until_listening(process)
            yield self
        finally:
            process.terminate()
            process.wait(_START_SECONDS)

    def _wait_until_listening(self, process: subprocess.Popen[bytes]) -> None:
        gives_up = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection((HOST, self.port), timeout=1).close()
            except OSError:
                ended = process.poll() is not None
                if ended or time.monotonic() > gives_up:
                    said = (self.folder / "stderr.log").read_text()
                    raise RuntimeError(f"nginx does not listen: {said}") from None
                time.sleep(0.05)
            else:
                return

    def logged(self) -> str:
        """All that it has written of requests, in both logs."""
        return self.access_log.read_text() + (self.folder / "stderr.log").read_text()


class TlsWire(Wire):
    """One encrypted connection, on which anything can be sent."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway.port)
        self._socket = gateway.tls().wrap_socket(
            self._socket, server_hostname="localhost"
        )


def sent(gateway: Gateway, *pieces: bytes, to_head: bool = False) -> Answer:
    """Send bytes as they are and give the first answer."""
    wire = TlsWire(gateway)
    try:
        wire.send(pieces)
        return wire.answer(to_head=to_head)
    finally:
        wire.close()


def make_certificate(folder: Path) -> None:
    """Make a certificate for `localhost`, signed by itself, for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "server.crt").write_bytes(certificate.public_bytes(pem))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def wait_until(
    happens: Callable[[], bool], what: str, *, seconds: float = 60.0
) -> None:
    """Wait for something to be so."""
    gives_up = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > gives_up:
            raise TimeoutError(f"not so after {seconds:.0f} s: {what}")
        time.sleep(0.1)
