"""A shell in a copy of the project after a default run."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from .documented_commands import Shell, borrow_environment

PROJECT = Path(__file__).parents[2]
NEEDED = ("bash", "curl", "make", "openssl")


@pytest.fixture
def shell(small_project: Any, tmp_path: Path) -> Shell:
    """A copy of the project after a default run, with all that a checkout has."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    folder = tmp_path / "a documented project"
    shutil.copytree(small_project.folder, folder)
    shutil.copy(PROJECT / "Makefile", folder)
    borrow_environment(folder)
    return Shell(folder)
