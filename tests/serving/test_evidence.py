import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import ArtifactError, SettingsError
from credit_scoring.registry.records import Change, write_record
from credit_scoring.registry.signing import TRUSTED_KEYS_DIR, Signer, public_pem
from credit_scoring.registry.versions import RegisteredVersion
from credit_scoring.serving.evidence import verify_promotion
from credit_scoring.serving.models import ModelFolder

SIGNER = Signer(Ed25519PrivateKey.generate())


def model(folder: Path, content: str) -> ModelFolder:
    folder.mkdir()
    (folder / "manifest.json").write_text(content)
    return ModelFolder(folder=folder, name="credit_scoring", version="1")


@pytest.fixture
def models(tmp_path: Path) -> dict[str, ModelFolder | None]:
    return {
        role: model(tmp_path / role, f'{{"role": "{role}"}}')
        for role in ("champion", "challenger")
    }


@pytest.fixture
def path(tmp_path: Path, models: dict[str, ModelFolder]) -> Path:
    versions = {
        role: RegisteredVersion(
            version=1,
            run_id="r",
            digest=sha256_of_file(one.folder / "manifest.json"),
            family="boosting",
        )
        for role, one in models.items()
    }
    record = write_record(
        Change(
            model="credit_scoring",
            kind="promotion",
            decision="d",
            before={},
            after=versions,
        ),
        SIGNER,
    )
    path = tmp_path / "promotion_record.json"
    path.write_text(json.dumps(record, indent=2))
    return path


def test_a_record_that_names_the_models_is_enough(path: Path, models: Any) -> None:
    assert "unaltered, names these models" in verify_promotion(path, models, {})


def test_with_trusted_keys_one_of_them_must_have_signed(
    path: Path, models: Any, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    environment = {TRUSTED_KEYS_DIR: str(keys)}
    with pytest.raises(SettingsError, match=r"no \*.pem file"):
        verify_promotion(path, models, environment)
    stranger = Signer(Ed25519PrivateKey.generate())
    (keys / "stranger.pem").write_bytes(public_pem(stranger.public_key))
    with pytest.raises(ArtifactError, match="is not trusted"):
        verify_promotion(path, models, environment)
    (keys / "risk.pem").write_bytes(public_pem(SIGNER.public_key))
    assert "signed with a trusted key" in verify_promotion(path, models, environment)


@pytest.mark.parametrize("role", ["champion", "challenger"])
def test_another_model_than_the_promoted_one_is_refused(
    role: str, path: Path, models: Any
) -> None:
    (models[role].folder / "manifest.json").write_text("{}")
    with pytest.raises(ArtifactError, match=f"the {role} that was promoted is"):
        verify_promotion(path, models, {})


def test_a_role_that_nobody_was_given_is_refused(path: Path, models: Any) -> None:
    with pytest.raises(ArtifactError, match="and the one packed is None"):
        verify_promotion(path, {**models, "challenger": None}, {})


def test_an_altered_record_is_refused(path: Path, models: Any) -> None:
    path.write_text(path.read_text().replace('"decision": "d"', '"decision": "e"'))
    with pytest.raises(ArtifactError, match=r"promotion_record\.json: it was altered"):
        verify_promotion(path, models, {})


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff"])
def test_what_is_no_record_is_refused(content: bytes, path: Path, models: Any) -> None:
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="is no JSON object"):
        verify_promotion(path, models, {})


def test_a_missing_record_or_manifest_is_said_to_be(path: Path, models: Any) -> None:
    (models["champion"].folder / "manifest.json").unlink()
    with pytest.raises(ArtifactError, match=r"manifest\.json: cannot be read"):
        verify_promotion(path, models, {})
    path.unlink()
    with pytest.raises(ArtifactError, match=r"cannot be read .* packs it"):
        verify_promotion(path, models, {})
