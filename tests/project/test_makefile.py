"""The Makefile says at once if no suitable interpreter is there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MAKE = shutil.which("make")

pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")

# Answers as an interpreter of another version would.
PRETENDER = """#!/bin/sh
exec '{python}' -c 'import sys
sys.version_info = {version}
exec(sys.argv[1])' "$2"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment would have to be made."""
    folder = tmp_path / "a path with a space"
    folder.mkdir()
    shutil.copy(PROJECT / "Makefile", folder)
    for name in ("requirements.lock", "pyproject.toml"):
        (folder / name).touch()
    return folder


def pretend(folder: Path, name: str, version: tuple[int, int, int]) -> Path:
    """Put an interpreter of this version into a folder."""
    folder.mkdir(exist_ok=True)
    python = folder / name
    python.write_text(PRETENDER.format(python=sys.executable, version=version))
    python.chmod(0o755)
    return python


def make(
    checkout: Path, *words: str, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"PATH": str(path)} if path else {})}
    # What a surrounding make was told is not for this one.
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON"):
        environment.pop(name, None)
    return subprocess.run(
        [str(MAKE), "install", *words],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 14, 0)])
def test_another_python_is_refused_by_name(
    checkout: Path, tmp_path: Path, version: tuple[int, int, int]
) -> None:
    python = pretend(tmp_path / "bin", "python3", version)
    done = make(checkout, f"PYTHON={python}")
    assert done.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 with its venv module was not found" in done.stderr
    assert f"{python} is not it" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_no_other_python_is_taken_from_the_path(checkout: Path, tmp_path: Path) -> None:
    python = pretend(tmp_path / "bin", "python3", (3, 10, 13))
    done = make(checkout, path=python.parent)
    assert done.returncode != 0
    assert "was not found." in done.stderr


def test_an_environment_is_kept_if_no_other_can_be_made(
    checkout: Path, tmp_path: Path
) -> None:
    environment = checkout / ".venv" / "kept"
    environment.mkdir(parents=True)
    python = pretend(tmp_path / "bin", "python3", (3, 10, 13))
    assert make(checkout, f"PYTHON={python}").returncode != 0
    assert environment.is_dir()


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3"])
def test_a_suitable_python_is_found_on_the_path(
    checkout: Path, tmp_path: Path, name: str
) -> None:
    python = pretend(tmp_path / "bin", name, (3, 12, 1))
    done = make(checkout, "--dry-run", path=python.parent)
    assert done.returncode == 0
    assert f'"{python}" -m venv .venv' in done.stdout


@pytest.mark.parametrize("moved", [False, True])
def test_a_moved_environment_is_made_anew(checkout: Path, moved: bool) -> None:
    (checkout / ".venv").mkdir()
    made_in = checkout.parent if moved else checkout
    (checkout / ".venv" / ".installed").write_text(f"{made_in.resolve()}\n")
    done = make(checkout, "--dry-run", f"PYTHON={sys.executable}")
    assert ("-m venv .venv" in done.stdout) is moved


def test_help_names_each_target(checkout: Path) -> None:
    # As a make within a make it would say which directory it enters.
    done = subprocess.run(
        [str(MAKE), "--no-print-directory"],
        cwd=checkout, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    # In columns, however long a name is.
    texts = [re.match(r"  make \S+ +", line) for line in lines]
    assert len({text.end() for text in texts if text}) == 1
    assert all(texts)
    for target in ("demo", "test", "serve", "install", "check", "lock", "clean"):
        assert f"  make {target} " in done.stdout


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["routing"], '--to "configured"'),
        (["routing", "TO=champion"], '--to "champion"'),
        (["bench-data", "ROWS=5"], '--output "data/benchmarks/5-rows"'),
        (["bench-data", "TO=elsewhere"], '--output "elsewhere"'),
    ],
)
def test_a_default_of_one_target_is_not_another_ones(
    checkout: Path, words: list[str], command: str
) -> None:
    done = subprocess.run(
        [str(MAKE), "--dry-run", f"PYTHON={sys.executable}", *words],
        cwd=checkout, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert command in done.stdout


def test_what_tells_that_a_run_is_there_is_made_by_one() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    looked_for = set(re.findall(r"test -f (data/\S+)", makefile))
    assert len(looked_for) > 2
    catalog = "".join(
        path.read_text(encoding="utf-8")
        for path in PROJECT.glob("conf/base/catalog*.yml")
    )
    made = {
        path.replace("${globals:data}", "data")
        for path in re.findall(r"filepath: (\S+)", catalog)
    }
    assert looked_for <= made


def test_no_target_names_a_folder_of_tests_and_a_file_in_it() -> None:
    """Pytest would run the folder's ``test_*.py`` alone, without a word."""
    text = (PROJECT / "Makefile").read_text().replace("\\\n", " ")
    asked = [
        re.findall(r"\btests/\S+", line)
        for line in text.splitlines()
        if "-m pytest" in line
    ]
    assert sum(len(paths) > 1 for paths in asked) > 3
    for paths in asked:
        within = [(a, b) for a in paths for b in paths if b.startswith(f"{a}/")]
        assert not within
