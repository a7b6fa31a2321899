"""Compiled kernels are of their code, wherever it lies."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import credit_scoring
from credit_scoring.shared_kernels import kernels_digest

PACKAGE = Path(credit_scoring.__file__).parent
PROBE = """
import credit_scoring.contract.kernels as kernels
kernels.warm_up()
found = [each for each in vars(kernels).values() if hasattr(each, "stats")]
print(kernels.__file__)
print(sum(sum(each.stats.cache_hits.values()) for each in found))
print(sum(sum(each.stats.cache_misses.values()) for each in found))
print(found[0].stats.cache_path)
"""


@pytest.fixture
def copies(tmp_path: Path) -> tuple[Path, Path]:
    """Two copies of the package, as a checkout and its Bento are."""
    folders = tmp_path / "a checkout", tmp_path / "a Bento"
    for folder in folders:
        shutil.copytree(
            PACKAGE,
            folder / "credit_scoring",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    return folders


def warmed(folder: Path, cache: Path | str, **variables: str) -> tuple[int, int, str]:
    """Warm kernels up in a fresh process; give hits, misses and the place."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COV", "NUMBA"))
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=folder,
        env={
            **inherited,
            "PYTHONPATH": str(folder),
            "XDG_CACHE_HOME": str(cache),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    file, hits, misses, place = done.stdout.splitlines()
    assert Path(file).is_relative_to(folder)
    return int(hits), int(misses), place


def test_a_copy_of_the_code_compiles_nothing_anew(
    copies: tuple[Path, Path], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    first_hits, first_misses, place = warmed(copies[0], cache)
    assert (first_hits, first_misses > 0) == (0, True)
    assert Path(place).is_relative_to(cache / "credit_scoring")

    assert warmed(copies[1], cache) == (first_misses, 0, place)


def test_a_change_in_any_file_with_kernels_has_a_place_of_its_own(
    copies: tuple[Path, Path],
) -> None:
    changed, unchanged = (folder / "credit_scoring" for folder in copies)
    with (changed / "features" / "kernel.py").open("a") as file:
        file.write("# changed\n")
    with (unchanged / "errors.py").open("a") as file:
        file.write("# of no kernel\n")

    assert kernels_digest(changed) != kernels_digest(PACKAGE)
    assert kernels_digest(unchanged) == kernels_digest(PACKAGE)


def test_numba_takes_its_own_place_if_the_users_folder_cannot_be_made(
    copies: tuple[Path, Path],
) -> None:
    place = warmed(copies[0], "/dev/null/nowhere")[2]
    assert Path(place).is_relative_to(copies[0])


def test_a_chosen_place_is_kept(copies: tuple[Path, Path], tmp_path: Path) -> None:
    chosen = tmp_path / "chosen"
    place = warmed(copies[0], tmp_path / "cache", NUMBA_CACHE_DIR=str(chosen))[2]
    assert Path(place).is_relative_to(chosen)
    assert not (tmp_path / "cache").exists()
