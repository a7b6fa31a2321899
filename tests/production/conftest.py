"""One PostgreSQL, one S3 and one MLflow server for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from credit_scoring.registry.signing import public_pem

from .servers import S3, MlflowServer, postgres, s3


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3(tmp_path_factory.mktemp("s3")) as store:
        yield store


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    with postgres() as address:
        yield address


@pytest.fixture(scope="session")
def server(
    database: str, store: S3, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MlflowServer]:
    log = tmp_path_factory.mktemp("mlflow") / "server.log"
    server = MlflowServer(database, store, log)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables that name a signing key and the folder of trusted ones."""
    folder = tmp_path_factory.mktemp("keys")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signing.pem").write_bytes(pem)
    (folder / "trusted").mkdir()
    trusted = Path(folder, "trusted", "one.pem")
    text = public_pem(key.public_key())
    trusted.write_bytes(text if isinstance(text, bytes) else text.encode())
    return {
        "CREDIT_SCORING_SIGNING_KEY_FILE": str(folder / "signing.pem"),
        "CREDIT_SCORING_TRUSTED_KEYS_DIR": str(trusted.parent),
        "CREDIT_SCORING_ACTOR": "a test",
    }


@pytest.fixture
def environment(server: MlflowServer, keys: dict[str, str]) -> dict[str, str]:
    """All that a run with `tracking: server` needs."""
    return {"MLFLOW_TRACKING_URI": server.url, **keys}
