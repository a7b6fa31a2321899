"""The command that makes keys, as an operator calls it."""

import hashlib
import stat
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(__file__).parents[3] / "deployment" / "gateway" / "keys.py"


def keys(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(COMMAND), "--file", str(file), *words],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "api_keys"


def test_a_key_is_printed_once_and_kept_as_its_hash(file: Path) -> None:
    key = keys(file, "add", "branch-7", "--roles", "score,outcomes").stdout.strip()
    assert len(key) == 46
    digest = hashlib.sha256(key.encode()).hexdigest()
    assert file.read_text() == f"{digest} branch-7 score,outcomes standard -\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    listed = keys(file, "list").stdout
    assert digest[:12] in listed
    assert key not in listed


def test_a_key_is_rotated_under_its_name(file: Path) -> None:
    first = keys(file, "add", "bank", "--roles", "score").stdout.strip()
    file.chmod(0o644)
    second = keys(file, "add", "bank", "--roles", "score", "--rate", "high")
    old = hashlib.sha256(first.encode()).hexdigest()
    assert keys(file, "revoke", "bank", "--hash", old[:12]).stdout == "1 revoked\n"
    new = hashlib.sha256(second.stdout.strip().encode()).hexdigest()
    assert file.read_text() == f"{new} bank score high -\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_an_expired_key_is_listed_as_such(file: Path) -> None:
    keys(file, "add", "old", "--roles", "score", "--until", "2020-01-31")
    assert "2020-01-31  expired" in keys(file, "list").stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["add", "Bank!", "--roles", "score"], "a name has 1 to 32"),
        (["add", "bank", "--roles", "score,root"], "no such role: 'root'"),
        (["add", "bank", "--roles", "score", "--until", "soon"], "expected a day"),
        (["revoke", "nobody"], "no such key of 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_refused(
    file: Path, words: list[str], reason: str
) -> None:
    done = keys(file, *words)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert not file.exists()


def test_a_file_that_is_damaged_is_left_as_it_is(file: Path) -> None:
    file.write_text("damaged\n")
    done = keys(file, "add", "bank", "--roles", "score")
    assert done.returncode == 1
    assert "line 1 of the keys" in done.stderr
    assert file.read_text() == "damaged\n"
