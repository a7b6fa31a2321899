"""Simple patterns are seen at once, and never say more than the expression."""

import re

import pyarrow as pa
import pytest

from credit_scoring.contract.patterns import all_match

PATTERN = "^[A-Za-z0-9._-]{1,64}$"


def texts(*given: str | None) -> pa.Array:
    return pa.array(given, pa.large_string())


def test_texts_of_allowed_letters_match() -> None:
    assert all_match(texts("A-1", "b.2_", "z" * 64), PATTERN)


@pytest.mark.parametrize("text", ["", "z" * 65, "a b", "a\n", "\u00e9", "a/", "1,2"])
def test_what_the_expression_refuses_is_not_said_to_match(text: str) -> None:
    assert re.fullmatch(PATTERN.strip("^$"), text) is None
    assert not all_match(texts("A-1", text), PATTERN)


def test_a_part_of_a_longer_array_is_judged_by_itself() -> None:
    assert all_match(texts("a b", "A", "B", "c d")[1:3], PATTERN)
    assert not all_match(texts("a b", "A", "B", "c d")[1:], PATTERN)


@pytest.mark.parametrize("given", [(), (None,), ("A", None)])
def test_of_nothing_nothing_is_said(given: tuple[str | None, ...]) -> None:
    assert not all_match(texts(*given), PATTERN)


@pytest.mark.parametrize("pattern", [r"[\d]{1,3}", "[^a]{1,3}", "a+", "([a]{1,2})*"])
def test_other_patterns_are_left_to_the_expression(pattern: str) -> None:
    assert not all_match(texts("1"), pattern)
