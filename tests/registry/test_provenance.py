import subprocess
from pathlib import Path

import pytest

from credit_scoring.digests import sha256_of_file
from credit_scoring.registry.provenance import provenance_of


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    (folder / "requirements.lock").write_text("numpy==1\n")
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "First")
    return folder


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    provenance = provenance_of(checkout, "d")
    assert len(provenance.git_revision) == 40
    assert provenance.git_dirty is False
    assert provenance.environment_digest == sha256_of_file(
        checkout / "requirements.lock"
    )


def test_uncommitted_changes_are_flagged(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("numpy==2\n")
    assert provenance_of(checkout, "d").git_dirty is True


def test_new_files_are_no_change_of_the_code(checkout: Path) -> None:
    (checkout / "mlflow.db").touch()
    assert provenance_of(checkout, "d").git_dirty is False


def test_a_folder_without_git_is_unknown(tmp_path: Path) -> None:
    provenance = provenance_of(tmp_path, "d")
    assert (provenance.git_revision, provenance.git_dirty) == ("unknown", None)
    assert provenance.environment_digest == "unknown"


def test_a_repository_around_the_folder_is_not_its_own(checkout: Path) -> None:
    inner = checkout / "inner"
    inner.mkdir()
    assert provenance_of(inner, "d").git_revision == "unknown"


def test_a_machine_without_git_is_unknown(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert provenance_of(checkout, "d").git_revision == "unknown"
