"""Lines are tied together in a way that standard tools can verify."""

import subprocess

import pytest

from credit_scoring.decision_log.chain import GENESIS, chained, link_of


def test_a_line_is_taken_apart_as_it_was_put_together() -> None:
    first, first_hash = chained(0, GENESIS, b'{"kind":"header"}')
    second, second_hash = chained(1, first_hash, b'{"a":1,"b":"\xc3\xa4"}')
    link = link_of(second)
    assert link is not None
    assert (link.sequence, link.previous) == (1, first_hash)
    assert link.stated == link.computed == second_hash
    assert link.content == b'{"a":1,"b":"\xc3\xa4"}'
    assert first.count(b"\n") == 1
    assert first.endswith(b"}\n")


def test_sha256sum_verifies_a_line() -> None:
    line, own = chained(7, GENESIS, b'{"amount":100.0}')
    program = """line=$(cat); printf '%s' "${line%,\\"hash\\":*}" | sha256sum"""
    done = subprocess.run(
        ["sh", "-c", program], input=line, capture_output=True, check=True
    )
    assert done.stdout.split()[0] == own


def test_an_altered_line_has_another_hash() -> None:
    line, _ = chained(7, GENESIS, b'{"amount":100.0}')
    link = link_of(line.replace(b"100.0", b"900.0"))
    assert link is not None
    assert link.stated != link.computed


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        chained(1, GENESIS, b'{"a":1}')[0][:-1],
        chained(1, GENESIS, b'{"a":1}')[0].replace(b'"hash"', b'"hush"'),
        chained(1, GENESIS, b'{"a":1}')[0].replace(b'"previous"', b'"precious"'),
        chained(1, GENESIS, b'{"a":1}')[0].replace(b'{"seq', b'["seq'),
        chained(1, GENESIS, b'{"a":1}')[0].replace(b":1,", b":01,"),
        chained(1, GENESIS, b'{"a":1}')[0].replace(b":1,", b":-1,"),
        chained(1, GENESIS, b'{"a":1}')[0].replace(b":1,", b":" + b"9" * 30 + b","),
        chained(1, GENESIS[1:], b'{"a":1}')[0],
    ],
)
def test_what_has_another_form_is_no_line(line: bytes) -> None:
    assert link_of(line) is None
