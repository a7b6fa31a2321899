"""What the documentation points at is there."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *PROJECT.glob("*.md"),
        *PROJECT.glob("docs/**/*.md"),
        *PROJECT.glob("data/01_raw/*.md"),
    ]
)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
PATH_IN_CODE = re.compile(r"`((?:tests|src|conf|docs|bentos)/[\w./-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    lost = [
        to for to in LINK.findall(page.read_text()) if not (page.parent / to).exists()
    ]
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_are_there(page: Path) -> None:
    named = PATH_IN_CODE.findall(page.read_text())
    made = (
        "bentos/releases",
        "bentos/models.json",
        "bentos/promotion_record.json",
        "conf/my_lender",
    )
    lost = [
        name
        for name in named
        if not name.startswith(made) and not (PROJECT / name).exists()
    ]
    assert not lost


def test_the_readme_names_a_proof_for_each_claim() -> None:
    text = (PROJECT / "README.md").read_text()
    claims = text.split("| claim | proof |")[1].split("\n\n")[0].splitlines()[2:]
    assert len(claims) > 8
    assert all("`tests/" in claim.rpartition("|")[0] for claim in claims)


def test_the_readmes_figures_of_peers_are_those_that_were_measured() -> None:
    text = (PROJECT / "README.md").read_text()
    table = text.split("\n| server | requests/s |")[1].split("\n\n")[0]
    rows = table.splitlines()[2:]
    assert len(rows) > 4
    measured = (PROJECT / "docs/reference/performance.md").read_text()
    for row in rows:
        name, requests, *others = (cell.strip() for cell in row.split("|")[1:-1])
        start = re.escape(f"| {name} | 16 | {requests} | ")
        end = re.escape(f" | {' | '.join(others)} |")
        assert re.search(rf"^{start}[\d.]+{end}$", measured, re.M), row


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_make_targets_that_are_named_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.M))
    fenced = re.findall(r"(?:^|`)make ([a-z-]+)", (PROJECT / page).read_text(), re.M)
    assert fenced
    assert set(fenced) <= targets
