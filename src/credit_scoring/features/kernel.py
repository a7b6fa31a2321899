"""One compiled kernel for all features of a set: a row costs microseconds."""

from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Places = NDArray[np.int64]
Kernel = Callable[[Matrix, Places, Matrix], None]

# As `compiled` has them: a division by zero is IEEE's, as numpy's is.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "fastmath": False,
    "error_model": "numpy",
}


def compile_features(
    functions: Sequence[Callable[..., Matrix]],
    arguments: Sequence[Sequence[int]],
    *,
    digest: str,
) -> Kernel:
    """Fuse feature functions into one kernel, row by row.

    The kernel does the same IEEE operations on single numbers that numpy does
    on columns, so both give the same bits. Its machine code is kept on disk
    under a name that holds the digest: numba itself would not notice that a
    function which the kernel calls has changed.

    Args:
        functions: Feature functions, in the order of the matrix's columns.
        arguments: For each function, which input columns it takes.
        digest: Of the source code of the functions and all that they call.

    Returns:
        A function of the rows, shape (n, n_columns), the place of each input in a
        row, shape (n_inputs,), and the feature matrix that it fills, shape
        (n, n_features); the matrices are float64 in C order.
    """
    name = f"features_{digest}"
    namespace: dict[str, Any] = {
        f"feature_{place}": numba.njit(**_OPTIONS)(function)
        for place, function in enumerate(functions)
    }
    # numba imports the module of this name when it reads machine code from disk.
    namespace |= {"__name__": __name__, "nan": np.nan}
    # The file name is this module's: numba keeps machine code beside a real file.
    code = compile(_source(name, arguments), __file__, "exec")
    exec(code, namespace)  # noqa: S102 - made of numbers and the digest, nothing else
    signature = "void(float64[:, ::1], int64[::1], float64[:, ::1])"
    kernel: Kernel = numba.njit(signature, cache=True, **_OPTIONS)(namespace[name])
    return kernel


def _source(name: str, arguments: Sequence[Sequence[int]]) -> str:
    lines = [
        f"def {name}(rows, places, matrix):",
        "    for row in range(rows.shape[0]):",
    ]
    # Each input is read once, as the compiler may not leave a second reading out.
    used = sorted({column for taken in arguments for column in taken})
    lines += [f"        input_{n} = rows[row, places[{n}]]" for n in used]
    for place, taken in enumerate(arguments):
        values = ", ".join(f"input_{column}" for column in taken)
        lines += [
            f"        value = feature_{place}({values}) + 0.0",
            f"        matrix[row, {place}] = value if value == value else nan",
        ]
    return "\n".join(lines) + "\n"
