"""The longer guides, followed: `make docs-test` (minutes).

Not among the tests that every run makes: candidates are trained anew, and decisions are
decided again.
"""

from pathlib import Path

import pytest

from .documented_commands import Shell

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
# Pages of one line are followed one after the other, in one copy of the project.
FOLLOWED = (("promote.md", "roll-back.md"), ("audit-a-decision.md",))


@pytest.mark.end_to_end
@pytest.mark.parametrize("pages", FOLLOWED, ids=" then ".join)
def test_the_commands_of_a_longer_guide_work(
    shell: Shell, pages: tuple[str, ...]
) -> None:
    for page in pages:
        assert shell.follow((HOW_TO / page).read_text(encoding="utf-8")) > 0
