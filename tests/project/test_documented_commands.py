"""What tutorial and how-to guides tell people to type does what they say."""

import re
from pathlib import Path

import pytest

from .documented_commands import Shell, blocks_of, missing_lines

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
# Pages of one line are followed one after the other, in one copy of the project.
FOLLOWED = (
    ("tutorial.md",),
    ("how-to/new-feature.md",),
    ("how-to/ecosystem.md",),
)
ELSEWHERE = {
    # A person answers questions in the middle of it.
    "how-to/bring-your-own-data.md": "test_bring_your_own_data.py",
    # They take a minute or more: `make docs-test`.
    "how-to/audit-a-decision.md": "project/guides_followed.py",
    "how-to/go-to-production.md": "project/guides_followed.py",
    "how-to/scale-out.md": "project/guides_followed.py",
    "how-to/promote.md": "project/guides_followed.py",
    "how-to/roll-back.md": "project/guides_followed.py",
}


@pytest.mark.end_to_end
@pytest.mark.parametrize("pages", FOLLOWED, ids=" then ".join)
def test_the_commands_of_a_page_work(shell: Shell, pages: tuple[str, ...]) -> None:
    for page in pages:
        assert shell.follow((DOCS / page).read_text(encoding="utf-8")) > 0


def test_each_page_with_commands_is_followed() -> None:
    pages = [DOCS / "tutorial.md", *DOCS.glob("how-to/*.md")]
    found = {
        path.relative_to(DOCS).as_posix(): blocks_of(path.read_text(encoding="utf-8"))
        for path in pages
    }
    to_run = {name for name, blocks in found.items() if any(b.run for b in blocks)}
    assert to_run == {*ELSEWHERE, *(page for group in FOLLOWED for page in group)}
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (PROJECT / "tests" / test).read_text(encoding="utf-8")
    # All of it in one command.
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\ndocs-test: ")[1].split("\n\n")[0]
    tests = {"project/test_documented_commands.py", *ELSEWHERE.values()}
    for test in tests | {"test_docs.py", "project/test_site.py"}:
        assert f"tests/{test}" in recipe
    # What is marked as not run is counted, so that no mark comes in unseen.
    left_out = {
        name: sum(not block.run for block in blocks)
        for name, blocks in found.items()
        if not all(block.run for block in blocks)
    }
    assert left_out == {
        "how-to/ecosystem.md": 3,
        "how-to/go-to-production.md": 3,
        "how-to/new-candidate-family.md": 1,
        "how-to/new-feature.md": 1,
        "how-to/promote.md": 1,
    }


def test_no_command_hides_in_another_kind_of_block() -> None:
    for path in [DOCS / "tutorial.md", *DOCS.glob("how-to/*.md")]:
        kinds = re.findall(r"^ *```(.*)$", path.read_text(encoding="utf-8"), re.M)
        assert set(kinds) <= {"", "sh", "text", "yaml"}, path.name
        # Each opens as one of these; a bare fence only closes.
        assert kinds.count("") * 2 == len(kinds), path.name


def test_the_demo_is_what_stands_in_for_it() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\ndemo: ")[1].split("\n\n")[0].splitlines()[1:]
    assert recipe == [
        "\t@$(BIN)/python -m kedro run",
        "\t@$(BIN)/python -m credit_scoring.demo",
    ]


def test_a_failing_command_fails(shell: Shell) -> None:
    with pytest.raises(AssertionError, match="exit 3"):
        shell.follow("```sh\nexit 3\n```\n")
    with pytest.raises(AssertionError, match=r"not printed: .*promised"):
        shell.follow("```sh\necho made\n```\n\n```text\npromised\n```\n")


def test_printed_lines_are_looked_for_in_order() -> None:
    output = "one 1\nbetween\ntwo 2\n"
    assert missing_lines(("one ...", "two ..."), output) == []
    assert missing_lines(("two ...", "one ..."), output) == ["one ..."]
    assert missing_lines(("three",), output) == ["three"]


def test_the_guide_to_a_new_family_names_each_place() -> None:
    guide = (DOCS / "how-to/new-candidate-family.md").read_text(encoding="utf-8")
    both = re.compile(
        r"\"scorecard\"[\s\S]{1,80}\"boosting\"|\"boosting\"[\s\S]{1,80}\"scorecard\""
    )
    found = [
        path.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "src").rglob("*.py")
        if both.search(path.read_text(encoding="utf-8"))
    ]
    assert len(found) > 4
    assert [name for name in found if f"| `{name}` |" not in guide] == []
