"""Where Numba keeps the kernels of a machine that is no image.

Numba's own places are beside each file, or named by its path: a Bento, which is a copy
of the code, would compile everything anew at its first start. And they know a kernel by
its own file alone, so that it stays when a kernel that it calls is changed.
"""

import functools
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import UserWideCacheLocator

_PACKAGE = Path(__file__).parent
# Who writes a kernel cannot but say one of these.
_KERNEL = re.compile(rb"\b(compiled|compilable|njit)\b")
_NUMBAS_OWN = "InTreeCacheLocator,UserWideCacheLocator,IPythonCacheLocator"


class SharedKernels(UserWideCacheLocator):
    """A user's folder, named by what the files with kernels hold, wherever they lie."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        """Name the folder of a function of the package."""
        parent: Any = super()
        parent.__init__(py_func, py_file)
        module = Path(py_file).relative_to(_PACKAGE).with_suffix("")
        self._cache_path = str(_user_folder() / kernels_digest(_PACKAGE) / module)

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


def _user_folder() -> Path:
    place = os.environ.get("XDG_CACHE_HOME")
    return (Path(place) if place else Path.home() / ".cache") / "credit_scoring"
