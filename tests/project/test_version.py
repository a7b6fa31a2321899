"""The version is in one place, and the changelog and the tags agree with it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from credit_scoring import __version__

PROJECT = Path(__file__).parents[2]
PLACE = "src/credit_scoring/__init__.py"
RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", re.MULTILINE)


def faults(version: str, changelog: str, tags: list[str]) -> list[str]:
    """Say what does not agree.

    A version is released when its tag and its heading are there; until then what is
    under "Unreleased" becomes it.
    """
    headings = re.findall(r"^## .*$", changelog, re.MULTILINE)
    releases = RELEASE.findall(changelog)
    if headings[:1] != ["## [Unreleased]"] or len(headings) != len(releases) + 1:
        return ["headings are [Unreleased], then [1.2.3] - 2026-01-31 and older"]
    found = []
    if releases != sorted(releases, key=numbers, reverse=True):
        found.append("the changelog's versions do not fall")
    if any(numbers(release) > numbers(version) for release in releases):
        found.append(f"the changelog is ahead of {version}")
    tagged = {tag.removeprefix("v") for tag in tags}
    found += [
        f"{name} is tagged, not in the changelog" for name in tagged - {*releases}
    ]
    return found


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_version_is_written_in_one_place() -> None:
    written = re.compile(rf"version.{{0,4}}[=:] ?\"?{re.escape(__version__)}\b")
    files = ["pyproject.toml", "Makefile", "bentofile.yaml", "mkdocs.yml"]
    files += ["deployment/image/Dockerfile", "deployment/image/build.sh"]
    assert written.search(f'version = "{__version__}"')
    found = [
        name
        for name in files
        if (PROJECT / name).exists()
        and written.search((PROJECT / name).read_text(encoding="utf-8"))
    ]
    assert found == []
    place = 'version = { attr = "credit_scoring.__version__" }'
    assert place in (PROJECT / "pyproject.toml").read_text(encoding="utf-8")


def test_changelog_and_tags_agree_with_it() -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    tags: list[str] = []
    if shutil.which("git") and (PROJECT / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", str(PROJECT), "tag", "--list", "v[0-9]*"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        tags = listed.stdout.split()
    assert faults(__version__, changelog, tags) == []


@pytest.mark.parametrize(
    ("version", "headings", "tags", "complaint"),
    [
        ("0.2.0", "[Unreleased]\n## [0.1.0] - 2026-01-31", ["v0.1.0"], None),
        ("0.1.0", "[0.1.0] - 2026-01-31", [], r"headings are"),
        ("0.1.0", "[Unreleased]\n## 0.1.0", [], r"headings are"),
        ("0.1.0", "[Unreleased]\n## [0.2.0] - 2026-01-31", [], r"ahead of 0.1.0"),
        (
            "0.10.0",
            "[Unreleased]\n## [0.9.0] - 2026-01-31\n## [0.10.0] - 2026-02-01",
            [],
            r"do not fall",
        ),
        ("0.1.0", "[Unreleased]", ["v0.1.0"], r"0.1.0 is tagged"),
    ],
)
def test_what_does_not_agree_is_found(
    version: str, headings: str, tags: list[str], complaint: str | None
) -> None:
    found = faults(version, f"# Changelog\n\n## {headings}\n", tags)
    assert len(found) == (complaint is not None)
    assert complaint is None or re.search(complaint, found[0])


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        ("0.3.0", ""),
        ("0.2.0", "no version '0.2.0' in CHANGELOG.md"),
        ("0.4.0", f"{PLACE} is not of version '0.4.0'"),
    ],
)
def test_release_notes_are_of_this_version_alone(
    tmp_path: Path, version: str, complaint: str
) -> None:
    shutil.copy(PROJECT / "Makefile", tmp_path)
    place = tmp_path / PLACE
    place.parent.mkdir(parents=True)
    ours = "0.2.0" if version == "0.2.0" else "0.3.0"
    place.write_text(f'__version__ = "{ours}"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "## [Unreleased]\n\n## [0.3.0] - 2026-01-31\n\n- New.\n"
    )
    done = subprocess.run(
        ["make", "release-notes", f"VERSION={version}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) is (complaint == "")
    assert complaint in done.stderr
    assert ("- New." in done.stdout) is (complaint == "")


def test_release_notes_of_no_version_are_refused() -> None:
    done = subprocess.run(
        ["make", "release-notes"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "make release-notes VERSION=1.2.3" in done.stderr
