"""The package as a wheel: built without a network, and used without the checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from credit_scoring import __version__

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "src" / "credit_scoring"
NAME = f"credit_scoring-{__version__}-py3-none-any.whl"

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
]


def environment() -> dict[str, str]:
    """Name this process's variables, without what leads to the checkout."""
    left_out = ("COV", "MAKE", "MFLAGS", "PYTHONPATH", "VIRTUAL_ENV", "KEDRO_ENV")
    return {n: v for n, v in os.environ.items() if not n.startswith(left_out)}


def files_of_the_package() -> Iterator[str]:
    for path in PACKAGE.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            yield path.relative_to(PACKAGE.parent).as_posix()


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel, and the locked libraries beside it."""

    folder: Path

    def run(self, *words: str, cwd: Path) -> str:
        done = subprocess.run(
            [str(self.folder / "bin" / "python"), *words],
            cwd=cwd,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by `make wheel` in a copy where an earlier build lies."""
    folder = tmp_path_factory.mktemp("wheel") / "a project"
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(PACKAGE, folder / "src" / "credit_scoring", ignore=skipped)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(PROJECT / name, folder)
    for name in ("README.md", "LICENSE"):
        shutil.copy(PROJECT / name, folder)
    (folder / "build/lib/credit_scoring").mkdir(parents=True)
    (folder / "build/lib/credit_scoring/of_an_earlier_build.py").touch()
    (folder / ".venv").mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".installed":
            (folder / ".venv" / entry.name).symlink_to(entry)
    (folder / ".venv" / ".installed").write_text(f"{folder.resolve()}\n")
    done = subprocess.run(
        ["make", "wheel"],
        cwd=folder,
        # Whatever would be fetched could not be.
        env=environment() | {"UV_OFFLINE": "1", "UV_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == f"dist/{NAME}"
    assert [path.name for path in (folder / "dist").glob("*.whl")] == [NAME]
    return folder / "dist" / NAME


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A new environment with the wheel alone; the libraries are those of the lock."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--offline", "--no-index", "--no-deps",
         "--python", python, wheel],
        env=environment(), check=True, capture_output=True,
    )  # fmt: skip
    own = folder.joinpath("lib", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    # Of a folder named so no .pth is read, so the checkout's own install is not seen.
    libraries = sysconfig.get_path("purelib")
    (own / "site-packages" / "locked.pth").write_text(f"{libraries}\n")
    return Installed(folder)


def test_it_has_all_files_of_the_package_and_no_other(wheel: Path) -> None:
    packed = {
        name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name
    }
    assert packed == set(files_of_the_package())


def test_it_is_imported_without_the_checkout(
    installed: Installed, tmp_path: Path
) -> None:
    program = """
import json, sys
from importlib.metadata import entry_points, version
from importlib.resources import files
import credit_scoring
import credit_scoring.serving.console_page
print(json.dumps({
    "file": credit_scoring.__file__,
    "path": sys.path,
    "metadata": version("credit-scoring"),
    "attribute": credit_scoring.__version__,
    "init": [e.value for e in entry_points(group="kedro.init")],
    "page": (files(credit_scoring) / "serving/console/index.html").read_text()[:15],
    "startup": entry_points(group="kedro.init")["credit_scoring"].load().__module__,
}))
"""
    said: dict[str, Any] = json.loads(installed.run("-c", program, cwd=tmp_path))
    assert Path(said["file"]).is_relative_to(installed.folder)
    assert not [path for path in said["path"] if Path(path) == PROJECT / "src"]
    assert said["metadata"] == said["attribute"] == __version__
    assert "credit_scoring.startup:prepare" in said["init"]
    assert said["page"] == "<!DOCTYPE html>"
    assert said["startup"] == "credit_scoring.startup"


def test_pipelines_run_where_only_configuration_and_data_are(
    installed: Installed, tmp_path: Path
) -> None:
    folder = tmp_path / "a lender's folder"
    shutil.copytree(PROJECT / "conf", folder / "conf")
    shutil.copytree(PROJECT / "data" / "01_raw", folder / "data" / "01_raw")
    said = installed.run("-m", "credit_scoring", "--pipelines", "ingestion", cwd=folder)
    assert "[1/1] ingestion: ingest applications" in said
    assert list((folder / "data" / "02_intermediate").iterdir())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("contract_proposal", "--help"), "usage: "),
        (("routing_state", "--help"), "usage: "),
        (("decision_log", "."), "0 decisions"),
        (("serve", "--help"), "usage: "),
    ],
)
def test_its_commands_are_there(
    installed: Installed, tmp_path: Path, command: tuple[str, ...], said: str
) -> None:
    name, *words = command
    printed = installed.run("-m", f"credit_scoring.{name}", *words, cwd=tmp_path)
    assert printed.startswith(said)
