"""Signing promotion records with Ed25519, and whom to believe.

Source: RFC 8032 (Ed25519), through the cryptography library.
"""

import base64
import binascii
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import BaseModel, ConfigDict

from credit_scoring.environment import variable
from credit_scoring.errors import SettingsError

SIGNING_KEY_FILE = variable("signing_key_file")
TRUSTED_KEYS_DIR = variable("trusted_keys_dir")
# Kedro's folder for what must not be committed.
_LOCAL_KEY = Path("conf", "local", "promotion_signing_key.pem")
_KEY_ID_CHARACTERS = 16


class Signature(BaseModel):
    """A signature, and the key that it was made with.

    Attributes:
        algorithm: Always Ed25519.
        key_id: First 16 hex digits of the SHA-256 of the raw public key.
        public_key: The raw public key, base64. It tells which key signed; it
            is no reason to believe it.
        value: The signature, base64.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: Literal["Ed25519"] = "Ed25519"
    key_id: str
    public_key: str
    value: str


@dataclass(frozen=True)
class Signer:
    """Signs with a private key."""

    key: Ed25519PrivateKey

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key that others verify with."""
        return self.key.public_key()

    def sign(self, message: bytes) -> Signature:
        """Sign a message."""
        public = self.public_key
        return Signature(
            key_id=key_id(public),
            public_key=base64.b64encode(_raw(public)).decode(),
            value=base64.b64encode(self.key.sign(message)).decode(),
        )


@dataclass(frozen=True)
class TrustedKeys:
    """Public keys whose signatures are believed, by their id."""

    keys: Mapping[str, Ed25519PublicKey]

    def fault(self, message: bytes, signature: object) -> str | None:
        """Say why a signature is not to be believed; None if it is.

        Args:
            message: What was signed.
            signature: As it was read, perhaps of any form.
        """
        try:
            read = Signature.model_validate(signature)
        except ValueError:
            return "it has no signature of the form that is expected"
        key = self.keys.get(read.key_id)
        if key is None:
            return (
                f"it is signed with key {read.key_id[:64]}, which is not trusted; "
                f"trusted: {', '.join(sorted(self.keys)) or 'none'}"
            )
        try:
            key.verify(base64.b64decode(read.value, validate=True), message)
        except (InvalidSignature, binascii.Error):
            return f"its signature with key {read.key_id} does not hold"
        return None


def key_id(key: Ed25519PublicKey) -> str:
    """Name a public key: 16 hex digits of its SHA-256."""
    return sha256(_raw(key)).hexdigest()[:_KEY_ID_CHARACTERS]


def load_signer(environment: Mapping[str, str], project: Path) -> Signer:
    """Read the key that promotions are signed with, or make a local one.

    Args:
        environment: ``CREDIT_SCORING_SIGNING_KEY_FILE`` names a PEM file (PKCS 8,
            not encrypted). Without it a key below ``conf/local`` is used, and made
            when it is not there.
        project: The checkout.

    Raises:
        SettingsError: If the file cannot be read, or holds no Ed25519 key.
    """
    given = environment.get(SIGNING_KEY_FILE)
    path = Path(given) if given else project / _LOCAL_KEY
    if not given and not path.exists():
        _make_key(path)
    return Signer(_read_private_key(path, named=bool(given)))


def load_trusted_keys(environment: Mapping[str, str], project: Path) -> TrustedKeys:
    """Read whose signatures are believed.

    Args:
        environment: ``CREDIT_SCORING_TRUSTED_KEYS_DIR`` names a folder of public
            keys (``*.pem``). Without it only the key that signs here is believed.
        project: The checkout.

    Raises:
        SettingsError: If there is no key, or one cannot be read.
    """
    given = environment.get(TRUSTED_KEYS_DIR)
    if given:
        return read_trusted_keys(Path(given))
    own = load_signer(environment, project).public_key
    return TrustedKeys({key_id(own): own})


def read_trusted_keys(folder: Path) -> TrustedKeys:
    """Read the public keys of a folder.

    Raises:
        SettingsError: If there is none, or one cannot be read.
    """
    keys = [_read_public_key(path) for path in sorted(folder.glob("*.pem"))]
    if not keys:
        raise SettingsError(
            f"{TRUSTED_KEYS_DIR}: no *.pem file in {folder}; expected a public "
            "Ed25519 key for each key that may sign promotions"
        )
    return TrustedKeys({key_id(key): key for key in keys})


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Write a public key as a PEM file, for those who shall trust it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _make_key(path: Path) -> None:
    """Make a key that its owner alone can read; whoever comes first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".key-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # A link, unlike a rename, does not replace the key of another run.
        Path(path).hardlink_to(name)
    except FileExistsError:
        return
    finally:
        Path(name).unlink()


def _read_private_key(path: Path, *, named: bool) -> Ed25519PrivateKey:
    what = SIGNING_KEY_FILE if named else str(path)
    key = _read_key(path, what, lambda pem: load_pem_private_key(pem, password=None))
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{what}: expected an Ed25519 private key")
    return key


def _read_public_key(path: Path) -> Ed25519PublicKey:
    key = _read_key(path, str(path), load_pem_public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError(f"{path}: expected an Ed25519 public key")
    return key


def _read_key(path: Path, what: str, load: Any) -> object:
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{what}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's own words may hold parts of the file.
        raise SettingsError(
            f"{what}: not a PEM file with an Ed25519 key without a password"
        ) from None
