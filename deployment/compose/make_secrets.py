"""Make what the stack needs and nobody may know: `.env` and the folder `secrets/`.

usage: python deployment/compose/make_secrets.py [--folder FOLDER] [--host NAME]
           [--set NAME=VALUE]... [--rotate NAME]... [--check]

What is there already stays, so it may be run again; ``--rotate`` makes one value of
`.env` anew, ``--set`` gives one that cannot be made up, ``--check`` makes nothing and
fails if something is missing. The certificate is signed by
itself: put one that your callers believe in its place.
"""

import argparse
import base64
import datetime
import os
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

HERE = Path(__file__).parent
# The user that gateway and service are in their containers.
_USER = 1034
_DAYS = 90
_LINE = re.compile(r"\A([A-Z0-9_]+)=(\S*)\Z")


def _password() -> str:
    # Of letters and digits, so that it may stand in an address.
    return secrets.token_hex(24)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


MADE: dict[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": _password,
    "MLFLOW_DB_PASSWORD": _password,
    "AIRFLOW_DB_PASSWORD": _password,
    "S3_ACCESS_KEY": lambda: secrets.token_hex(10),
    "S3_SECRET_KEY": _password,
    "REDIS_PASSWORD": _password,
    "GRAFANA_PASSWORD": _password,
    "AIRFLOW_FERNET_KEY": _fernet_key,
    "AIRFLOW_JWT_SECRET": _password,
}
# Only the operator knows these; an empty one stops the stack with its name.
ASKED = ("SERVICE_IMAGE", "TRAINING_IMAGE", "ALERT_WEBHOOK_URL", "GATEWAY_HOST")


class SecretsError(ValueError):
    """What is asked for cannot be done, and nothing was changed."""


def read_env(path: Path) -> dict[str, str]:
    """Read the values of an environment file; none if it is not there.

    Raises:
        SecretsError: If a line is neither a value nor a comment.
    """
    if not path.is_file():
        return {}
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        found = _LINE.match(line)
        if found is None:
            raise SecretsError(f"{path.name}, line {number}: not NAME=VALUE")
        values[found[1]] = found[2]
    return values


def complete(
    values: dict[str, str], given: dict[str, str], rotated: Sequence[str]
) -> dict[str, str]:
    """Add the values that are missing, and make the rotated ones anew.

    Raises:
        SecretsError: If a value to be rotated is not one that is made here.
    """
    for name in rotated:
        if name not in MADE:
            raise SecretsError(f"{name} is not made here: {', '.join(MADE)} are")
    fresh = {
        name: make()
        for name, make in MADE.items()
        if not values.get(name) or name in rotated
    }
    asked = {name: values.get(name, "") for name in ASKED}
    return {**values, **asked, **fresh, **given}


def missing(folder: Path) -> list[str]:
    """Name the values and files without which the stack must not start."""
    values = read_env(folder / ".env")
    lacking = [name for name in (*MADE, *ASKED) if not values.get(name)]
    files = (
        "gateway/tls/server.crt",
        "gateway/tls/server.key",
        "gateway/keys/api_keys",
        "trusted/promotion.pem",
    )
    return lacking + [
        f"secrets/{name}" for name in files if not (folder / "secrets" / name).exists()
    ]


def write_env(path: Path, values: dict[str, str]) -> None:
    """Write the environment file, which only its owner can read."""
    text = "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
    _write(path, text.encode(), mode=0o600)


def write_keys(folder: Path, host: str) -> None:
    """Write certificate and keys that are not there yet.

    The folder itself is closed to others; what containers mount from it is not, as
    they read it as another user.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    tls = folder / "gateway" / "tls"
    if not (tls / "server.key").exists():
        key, certificate = _certificate(host)
        _write(tls / "server.crt", certificate, mode=0o644)
        _write(tls / "server.key", key, mode=0o640)
    if not (folder / "gateway" / "keys" / "api_keys").exists():
        _write(folder / "gateway" / "keys" / "api_keys", b"", mode=0o640)
    if not (folder / "signing" / "promotion.pem").exists():
        signing = Ed25519PrivateKey.generate()
        _write(folder / "signing" / "promotion.pem", _pem(signing), mode=0o640)
        public = signing.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        _write(folder / "trusted" / "promotion.pem", public, mode=0o644)


def _certificate(host: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pem(key), certificate.public_bytes(Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Replace a file at once, with its mode from the start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(
        os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb"
    ) as f:
        f.write(content)
    if mode & 0o040 and os.geteuid() == 0:
        os.chown(part, _USER, _USER)
    part.replace(path)


def main(arguments: Sequence[str]) -> int:
    """Make what is missing; the exit code is 1 if something cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=HERE)
    parser.add_argument("--host", default="localhost", help="the gateway's name")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--rotate", action="append", default=[], metavar="NAME")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    if options.check:
        return _check(options.folder)
    env = options.folder / ".env"
    try:
        given = dict(pair.split("=", 1) for pair in options.set if "=" in pair)
        if len(given) != len(options.set):
            raise SecretsError("--set takes NAME=VALUE")
        values = read_env(env)
        values.setdefault("GATEWAY_HOST", options.host)
        write_env(env, complete(values, given, options.rotate))
    except SecretsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what the caller reads
        return 1
    write_keys(options.folder / "secrets", options.host)
    return 0


def _check(folder: Path) -> int:
    try:
        lacking = missing(folder)
    except SecretsError as error:
        lacking = [str(error)]
    if lacking:
        said = f"the stack is not started, as these are missing: {', '.join(lacking)}"
        print(f"{said}; see make stack-secrets", file=sys.stderr)  # noqa: T201
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
