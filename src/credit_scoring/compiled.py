"""Compilation of the numeric kernels that must give the same bits everywhere."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba
from numba.extending import register_jitable

from credit_scoring.shared_kernels import share_kernels

share_kernels()
P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel on its first call and keep the machine code on disk.

    Neither fast-math nor contraction is allowed, so a kernel does each IEEE
    operation in the order it is written: one row, a million rows, the pipeline
    and the service get equal bits. A division by zero is IEEE's, too: infinite or
    NaN, no error. The lock on the interpreter is released.
    """
    compile_ = numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy")
    kernel: Callable[P, R] = compile_(function)
    return kernel


def compilable(function: Callable[P, R]) -> Callable[P, R]:
    """Leave a function as it is, and let compiled kernels call it too."""
    marked: Callable[P, R] = register_jitable(function)
    return marked
