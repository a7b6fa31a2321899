import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from credit_scoring.errors import SettingsError
from credit_scoring.registry.signing import (
    SIGNING_KEY_FILE,
    TRUSTED_KEYS_DIR,
    Signer,
    TrustedKeys,
    key_id,
    load_signer,
    load_trusted_keys,
    public_pem,
)

LOCAL = Path("conf/local/promotion_signing_key.pem")


def trusted(*signers: Signer) -> TrustedKeys:
    return TrustedKeys({key_id(s.public_key): s.public_key for s in signers})


@pytest.fixture
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


def test_a_signature_holds_for_its_message_alone(signer: Signer) -> None:
    signature = signer.sign(b"version 3").model_dump()
    assert trusted(signer).fault(b"version 3", signature) is None
    fault = trusted(signer).fault(b"version 4", signature)
    assert fault == f"its signature with key {signature['key_id']} does not hold"


def test_openssl_verifies_it_too(signer: Signer, tmp_path: Path) -> None:
    import base64

    (tmp_path / "key.pem").write_bytes(public_pem(signer.public_key))
    (tmp_path / "message").write_bytes(b"version 3")
    value = base64.b64decode(signer.sign(b"version 3").value)
    (tmp_path / "signature").write_bytes(value)
    try:
        done = subprocess.run(
            [
                *("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem"),
                *("-rawin", "-in", "message", "-sigfile", "signature"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    assert "Signature Verified Successfully" in done.stdout


def test_a_key_that_comes_with_the_signature_is_no_reason_to_believe_it(
    signer: Signer,
) -> None:
    other = Signer(Ed25519PrivateKey.generate())
    signature = other.sign(b"x").model_dump()
    fault = trusted(signer).fault(b"x", signature)
    assert fault is not None
    assert "not trusted; trusted: " + key_id(signer.public_key) in fault
    # Under a trusted key's name it does not hold, either.
    renamed = {**signature, "key_id": key_id(signer.public_key)}
    assert "does not hold" in str(trusted(signer).fault(b"x", renamed))


@pytest.mark.parametrize(
    "signature", [None, {}, "x", {"key_id": "a"}, {"algorithm": "RSA"}]
)
def test_what_is_no_signature_is_not_believed(
    signature: object, signer: Signer
) -> None:
    assert "no signature" in str(trusted(signer).fault(b"x", signature))


def test_a_signature_that_is_no_base64_does_not_hold(signer: Signer) -> None:
    broken = {**signer.sign(b"x").model_dump(), "value": "!"}
    assert "does not hold" in str(trusted(signer).fault(b"x", broken))


def test_without_a_key_one_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    first = load_signer({}, tmp_path)
    path = tmp_path / LOCAL
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = load_signer({}, tmp_path)
    assert key_id(again.public_key) == key_id(first.public_key)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_two_that_make_a_key_at_once_use_the_same(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path;"
        "from credit_scoring.registry.signing import key_id, load_signer;"
        "print(key_id(load_signer({}, Path(sys.argv[1])).public_key))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    ids = {process.communicate(timeout=60)[0] for process in started}
    assert len(ids) == 1


def test_the_environment_names_key_and_trusted_keys(
    signer: Signer, tmp_path: Path
) -> None:
    pem = signer.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption_algorithm=NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "risk.pem").write_bytes(public_pem(signer.public_key))
    environment = {
        SIGNING_KEY_FILE: str(tmp_path / "key.pem"),
        TRUSTED_KEYS_DIR: str(tmp_path / "trusted"),
    }
    signature = load_signer(environment, tmp_path).sign(b"x")
    believed = load_trusted_keys(environment, tmp_path)
    assert believed.fault(b"x", signature.model_dump()) is None
    assert not (tmp_path / "conf").exists()


def test_without_trusted_keys_the_own_key_is_believed(tmp_path: Path) -> None:
    signature = load_signer({}, tmp_path).sign(b"x")
    assert load_trusted_keys({}, tmp_path).fault(b"x", signature.model_dump()) is None


def test_a_key_that_cannot_be_used_names_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(SettingsError, match=r"SIGNING_KEY_FILE: cannot be read: No "):
        load_signer({SIGNING_KEY_FILE: str(path)}, tmp_path)
    path.write_text("secret")
    with pytest.raises(SettingsError, match="not a PEM file") as raised:
        load_signer({SIGNING_KEY_FILE: str(path)}, tmp_path)
    assert "secret" not in str(raised.value)
    key = Ed25519PrivateKey.generate()
    locked = BestAvailableEncryption(b"p")
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    with pytest.raises(SettingsError, match="without a password"):
        load_signer({SIGNING_KEY_FILE: str(path)}, tmp_path)
    other = generate_private_key(SECP256R1())
    none = NoEncryption()
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, none))
    with pytest.raises(SettingsError, match="expected an Ed25519 private key"):
        load_signer({SIGNING_KEY_FILE: str(path)}, tmp_path)


def test_trusted_keys_must_be_there_and_of_the_right_kind(tmp_path: Path) -> None:
    environment = {TRUSTED_KEYS_DIR: str(tmp_path)}
    with pytest.raises(SettingsError, match=r"TRUSTED_KEYS_DIR: no \*.pem file"):
        load_trusted_keys(environment, tmp_path)
    public = generate_private_key(SECP256R1()).public_key()
    form = PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "a.pem").write_bytes(public.public_bytes(Encoding.PEM, form))
    with pytest.raises(SettingsError, match=r"a\.pem: expected an Ed25519 public key"):
        load_trusted_keys(environment, tmp_path)
