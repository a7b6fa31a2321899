"""Where Numba keeps the kernels of a machine that is no image.

Numba's own places are beside each file, or named by its path: a Bento, which is a copy
of the code, would compile everything anew at its first start. And they know a kernel by
its own file alone, so that it stays when a kernel that it calls is changed.
"""

import contextlib
import functools
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import UserWideCacheLocator

_PACKAGE = Path(__file__).parent
# Who writes a kernel cannot but say one of these.
_KERNEL = re.compile(rb"\b(compiled|compilable|njit)\b")
# What `kernels_digest` gives: nothing else in the folder is ours to remove.
_VERSION = re.compile("[0-9a-f]{20}")
_GONE = re.compile(r"\.[0-9a-f]{20}\.[0-9]+")
_MARK = "used"
_KEPT_SECONDS = 30 * 24 * 3600
_NUMBAS_OWN = "InTreeCacheLocator,UserWideCacheLocator,IPythonCacheLocator"


class SharedKernels(UserWideCacheLocator):
    """A user's folder, named by what the files with kernels hold, wherever they lie."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        """Name the folder of a function of the package."""
        parent: Any = super()
        parent.__init__(py_func, py_file)
        module = Path(py_file).relative_to(_PACKAGE).with_suffix("")
        ours = kernels_digest(_PACKAGE)
        self._cache_path = str(_user_folder() / ours / module)
        _tidied(_user_folder(), ours)

    @classmethod
    def from_function(
        cls, py_func: Callable[..., Any], py_file: str
    ) -> "SharedKernels | None":
        """Find the folder of one of our functions.

        Numba asks the next class for what is not ours, or if the folder cannot be
        written.
        """
        if not Path(py_file).is_relative_to(_PACKAGE):
            return None
        parent: Any = super()
        found: SharedKernels | None = parent.from_function(py_func, py_file)
        return found


def share_kernels() -> None:
    """Let Numba ask for `SharedKernels` first, unless a place was chosen already.

    ``NUMBA_CACHE_DIR`` or ``NUMBA_CACHE_LOCATOR_CLASSES`` choose one.
    """
    config: Any = numba.config
    if not config.CACHE_DIR and not config.CACHE_LOCATOR_CLASSES:
        ours = f"{SharedKernels.__module__}.{SharedKernels.__qualname__}"
        config.CACHE_LOCATOR_CLASSES = f"{ours},{_NUMBAS_OWN}"


@functools.cache
def kernels_digest(package: Path) -> str:
    """Digest the names and contents of a package's files that hold kernels.

    Args:
        package: Folder of the package.

    Returns:
        SHA-256, hexadecimal; shortened, as it names a folder.
    """
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        content = path.read_bytes()
        if _KERNEL.search(content):
            name = path.relative_to(package).as_posix()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:20]


def tidy(folder: Path, ours: str) -> None:
    """Remove kernels of other versions of the code that nobody used for long.

    A version is used when a process of its code starts, which its mark notes. Several
    processes may tidy at once, and a kernel that is gone is compiled anew: what
    cannot be noted or removed stays, and nobody is told.

    Args:
        folder: Holds the versions, each a folder named by its digest.
        ours: The version of the code that runs.
    """
    with contextlib.suppress(OSError):
        (folder / ours).mkdir(parents=True, exist_ok=True)
        (folder / ours / _MARK).touch()
        oldest = time.time() - _KEPT_SECONDS
        for version in folder.iterdir():
            if _VERSION.fullmatch(version.name) and version.name != ours:
                _remove_if_older(version, oldest)
            elif _GONE.fullmatch(version.name):
                # A process was killed before it had removed all of it.
                shutil.rmtree(version, ignore_errors=True)


def _remove_if_older(version: Path, oldest: float) -> None:
    """Take a version away under another name first, so that nobody reads half of it."""
    with contextlib.suppress(OSError):
        mark = version / _MARK
        used = (mark if mark.exists() else version).stat().st_mtime
        if used < oldest:
            gone = version.with_name(f".{version.name}.{os.getpid()}")
            version.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


@functools.cache
def _tidied(folder: Path, ours: str) -> None:
    """Tidy once a process."""
    tidy(folder, ours)


def _user_folder() -> Path:
    place = os.environ.get("XDG_CACHE_HOME")
    return (Path(place) if place else Path.home() / ".cache") / "credit_scoring"
