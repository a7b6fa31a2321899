"""Where Numba finds kernels that were compiled when an image was built.

Numba wants to write where it reads compiled kernels, and an image is read-only.
``NUMBA_CACHE_LOCATOR_CLASSES`` names this class to it, and ``NUMBA_CACHE_DIR`` the
folder; see ``bentos/Dockerfile.j2``.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core.caching import UserProvidedCacheLocator


class ShippedKernels(UserProvidedCacheLocator):
    """A folder of compiled kernels that is read and never written."""

    @classmethod
    def from_function(
        cls, py_func: Callable[..., Any], py_file: str
    ) -> "ShippedKernels | None":
        """Find the shipped kernel of a function; None if none was shipped.

        Numba asks the next class then, whose folder takes what is compiled anew.
        """
        locator: Any = cls(py_func, py_file)
        # As Numba names the index of a function's compiled forms.
        name = py_func.__qualname__.replace("<", "").replace(">", "")
        python = f"py{sys.version_info.major}{sys.version_info.minor}"
        index = (
            f"{Path(py_file).stem}.{name}-{locator.get_disambiguator()}.{python}.nbi"
        )
        folder = Path(locator.get_cache_path())
        found: ShippedKernels | None = locator if (folder / index).exists() else None
        return found
