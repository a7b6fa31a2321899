"""The guides to promotion and rollback, followed: `make docs-test` (minutes).

Not among the tests that every run makes, as candidates are trained anew.
"""

from pathlib import Path

import pytest

from .documented_commands import Shell

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


@pytest.mark.end_to_end
def test_a_model_is_promoted_and_rolled_back_as_the_guides_say(shell: Shell) -> None:
    for page in ("promote.md", "roll-back.md"):
        assert shell.follow((HOW_TO / page).read_text(encoding="utf-8")) > 0
