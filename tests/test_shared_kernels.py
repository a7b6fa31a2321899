"""Compiled kernels are of their code, wherever it lies."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import credit_scoring
from credit_scoring.shared_kernels import kernels_digest, tidy

PACKAGE = Path(credit_scoring.__file__).parent
DAY = 24 * 3600
OURS = "0" * 20
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


def version(folder: Path, number: int, *, days: int, marked: bool = True) -> Path:
    """A version of the code that was used so long ago."""
    made = folder / f"{number:020x}"
    (made / "contract").mkdir(parents=True)
    (made / "contract" / "kernel.nbc").write_bytes(b"code")
    then = time.time() - days * DAY
    if marked:
        (made / "used").touch()
        os.utime(made / "used", (then, then))
    else:
        os.utime(made, (then, then))
    return made


@pytest.mark.parametrize("marked", [True, False])
def test_versions_that_nobody_used_for_a_month_are_removed(
    tmp_path: Path, marked: bool
) -> None:
    version(tmp_path, 1, days=31, marked=marked)
    recent = version(tmp_path, 2, days=29, marked=marked)
    tidy(tmp_path, OURS)
    assert {path.name for path in tmp_path.iterdir()} == {OURS, recent.name}
    assert (recent / "contract" / "kernel.nbc").is_file()


def test_the_version_that_runs_is_used_and_others_files_stay(tmp_path: Path) -> None:
    ours = version(tmp_path, 0, days=100)
    (tmp_path / "notes of a person").mkdir()
    (tmp_path / "file").write_text("")
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    tidy(tmp_path, OURS)
    assert len(list(tmp_path.iterdir())) == 3
    assert time.time() - (ours / "used").stat().st_mtime < DAY


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    version(tmp_path, 1, days=0).rename(tmp_path / f".{1:020x}.4711")
    tidy(tmp_path, OURS)
    assert [path.name for path in tmp_path.iterdir()] == [OURS]


def test_what_cannot_be_tidied_fails_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    tidy(tmp_path / "file", OURS)
    old = version(tmp_path, 1, days=31)

    def refuse(*_: object) -> None:
        raise PermissionError("of another user")

    monkeypatch.setattr(Path, "rename", refuse)
    tidy(tmp_path, OURS)
    assert old.is_dir()


def test_several_processes_tidy_at_once(tmp_path: Path) -> None:
    for number in range(1, 301):
        version(tmp_path, number, days=31)
    program = (
        "import sys; from pathlib import Path\n"
        "from credit_scoring.shared_kernels import tidy\n"
        "sys.stdin.read()\n"
        f"tidy(Path({str(tmp_path)!r}), {OURS!r})"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for each in started:
        assert each.stdin is not None
        each.stdin.close()
    for each in started:
        assert each.stderr is not None
        assert (each.wait(60), each.stderr.read()) == (0, b"")
        each.stderr.close()
    assert [path.name for path in tmp_path.iterdir()] == [OURS]


def test_a_start_marks_its_version_and_removes_old_ones(
    copies: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "cache" / "credit_scoring"
    old = version(folder, 1, days=31)
    warmed(copies[0], tmp_path / "cache")
    assert not old.exists()
    assert (folder / kernels_digest(PACKAGE) / "used").is_file()
