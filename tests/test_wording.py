"""Counts with their nouns."""

import pytest

from credit_scoring.wording import counted


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 segments"), (1, "1 segment"), (2, "2 segments"), (1200, "1,200 segments")],
)
def test_only_one_is_singular(number: int, said: str) -> None:
    assert counted(number, "segment") == said


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(3, "entry", "entries") == "3 entries"
