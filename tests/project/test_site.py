"""The documentation builds as a site: no warning, no lost link, nothing from afar."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//|"
    r"<link\b(?=[^>]*rel=\"(?:stylesheet|preload|preconnect|icon))[^>]*"
    r"\bhref=\"(?:https?:)?//|@import|url\((?:https?:)?//"
)


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a project's folder as `make docs` does."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=project,
        env={"PATH": "", "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    built = build(PROJECT, folder)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def test_each_page_is_in_the_site(site: Path) -> None:
    pages = [
        path.relative_to(PROJECT / "docs") for path in PROJECT.glob("docs/**/*.md")
    ]
    assert len(pages) > 40
    assert [
        page for page in pages if not (site / page).with_suffix(".html").exists()
    ] == []


def test_no_page_loads_anything_from_afar(site: Path) -> None:
    assert LOADED.search('<link rel="stylesheet" href="https://elsewhere/x.css">')
    assert LOADED.search('<script src="//elsewhere/x.js"></script>')
    files = [*site.rglob("*.html"), *site.rglob("*.css")]
    found = [path.name for path in files if LOADED.search(path.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("[x](not-there.md)", "not-there.md"),
        ("[x](glossary.md#not-there)", "#not-there"),
    ],
)
def test_a_lost_link_stops_the_build(
    tmp_path: Path, written: str, complaint: str
) -> None:
    shutil.copytree(PROJECT / "docs", tmp_path / "docs")
    shutil.copy(PROJECT / "mkdocs.yml", tmp_path)
    page = tmp_path / "docs" / "index.md"
    page.write_text(f"{page.read_text()}\n{written}\n")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode != 0
    assert complaint in built.stderr


def test_a_page_that_the_navigation_lacks_stops_the_build(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "docs", tmp_path / "docs")
    shutil.copy(PROJECT / "mkdocs.yml", tmp_path)
    (tmp_path / "docs" / "alone.md").write_text("# Alone\n")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode != 0
    assert "alone.md" in built.stderr
