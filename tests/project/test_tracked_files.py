"""Nothing that is tracked tells of the machine it was made on."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

# Put together here, so that this file is not found itself.
HOMES = "|".join(("root", "work", "home", "Users", "opt"))
MACHINE_PATH = re.compile(rf"(?<![\w.<>*-])/(?:{HOMES})/[\w.-]")
REGISTRY = re.compile(
    "|".join(
        ("pypi" + r"\.org", "python" + "hosted", "artifact" + "ory", "dev" + "pi")
    ),
    re.IGNORECASE,
)


def tracked() -> list[Path]:
    if shutil.which("git") is None or not (PROJECT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = subprocess.run(
        ["git", "-C", str(PROJECT), "ls-files", "-z"], capture_output=True, check=True
    )
    names = listed.stdout.decode().split("\0")
    return [PROJECT / name for name in names if name]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for file in tracked():
        if not file.is_file() or file.suffix == ".gz":
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{file.relative_to(PROJECT)}:{number}: {line[:120]}")
    return found


def test_no_file_names_a_path_of_a_machine() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_no_file_names_a_package_registry() -> None:
    assert lines_with(REGISTRY) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE_PATH, "see /" + "root/.cache"),
        (MACHINE_PATH, '"file:///' + "opt/wheels"),
        (REGISTRY, "https://PyPI" + ".org/simple"),
    ],
)
def test_such_a_line_would_be_found(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)
