"""Compiled kernels of an image: read where they lie, never written."""

import os
import subprocess
import sys
from pathlib import Path

KERNEL = """
import numpy as np
from credit_scoring.compiled import compiled

@compiled
def double(x):
    return x * 2.0

@compiled
def halve(x):
    return x / 2.0
"""
CALL = """
import kernels
{calls}
for name in ("double", "halve"):
    stats = getattr(kernels, name).stats
    print(name, sum(stats.cache_hits.values()), stats.cache_path)
"""
LOCATORS = "credit_scoring.shipped_kernels.ShippedKernels,UserWideCacheLocator"


def run(folder: Path, calls: str, **variables: str) -> dict[str, tuple[int, str]]:
    """Call kernels in a fresh process; name -> what was read compiled, and where."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", CALL.format(calls=calls)],
        cwd=folder,
        env={**environment, "NUMBA_CPU_NAME": "generic", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(" ", 2) for line in done.stdout.splitlines()]
    return {name: (int(hits), path) for name, hits, path in rows}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_shipped_kernels_are_read_and_others_compiled_elsewhere(
    tmp_path: Path,
) -> None:
    (tmp_path / "kernels.py").write_text(KERNEL)
    shipped, cache = tmp_path / "shipped", tmp_path / "cache"
    run(tmp_path, "kernels.double(1.0)", NUMBA_CACHE_DIR=str(shipped))
    # The one that was only defined has an empty place, as in an image without it.
    before = contents(shipped)
    assert before
    seen = run(
        tmp_path,
        "assert kernels.double(1.0) == 2.0 and kernels.halve(1.0) == 0.5",
        NUMBA_CACHE_DIR=str(shipped),
        NUMBA_CACHE_LOCATOR_CLASSES=LOCATORS,
        XDG_CACHE_HOME=str(cache),
    )
    assert contents(shipped) == before
    assert seen["double"][0] == 1
    assert Path(seen["double"][1]).is_relative_to(shipped)
    assert seen["halve"][0] == 0
    assert Path(seen["halve"][1]).is_relative_to(cache)
    assert contents(cache)


def test_a_changed_source_is_not_taken_for_the_one_that_was_shipped(
    tmp_path: Path,
) -> None:
    (tmp_path / "kernels.py").write_text(KERNEL)
    shipped = tmp_path / "shipped"
    run(tmp_path, "kernels.double(1.0)", NUMBA_CACHE_DIR=str(shipped))
    (tmp_path / "kernels.py").write_text(KERNEL.replace("* 2.0", "* 3.0"))
    seen = run(
        tmp_path,
        "assert kernels.double(1.0) == 3.0",
        NUMBA_CACHE_DIR=str(shipped),
        NUMBA_CACHE_LOCATOR_CLASSES=LOCATORS,
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )
    assert seen["double"][0] == 0
