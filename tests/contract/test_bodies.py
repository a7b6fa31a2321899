import mmap
import tempfile
from collections.abc import Iterator

import pytest

from credit_scoring.contract import bodies
from credit_scoring.contract.bodies import Body, characters, count, lines
from credit_scoring.contract.csv_faults import check_utf8
from credit_scoring.errors import ContractError


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text here goes over blocks."""
    monkeypatch.setattr(bodies, "_BLOCK_BYTES", 5)


def in_a_file(content: bytes) -> Iterator[Body]:
    yield content
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        yield mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


@pytest.mark.parametrize(
    "content",
    [b"a\nbc\n\n  \t\r\ndef", b"\n", b"one", b"a\r\nb\r\n", b"x" * 20 + b"\n" + b"y"],
)
def test_lines_are_those_of_the_whole(content: bytes) -> None:
    expected = [line for line in content.split(b"\n") if line.strip(b" \t\r")]
    for body in in_a_file(content):
        assert list(lines(body)) == expected
        assert count(body, b"\n") == content.count(b"\n")


@pytest.mark.parametrize("before", range(12))
@pytest.mark.parametrize("character", ["ü", "€", "𝄞"])
def test_a_character_may_go_over_blocks(before: int, character: str) -> None:
    text = ("a" * before + character + "b" * 3 + character).encode()
    for body in in_a_file(text):
        assert check_utf8(body, "it") == 0
    for body in in_a_file(b"\xef\xbb\xbf" + text):
        assert check_utf8(body, "it") == 3


@pytest.mark.parametrize("before", ["", "a", "ab\n", "aü\nb\n€", "ab\ncd\nef\n", "€€"])
def test_the_place_of_what_is_no_utf8_is_that_in_the_whole(before: str) -> None:
    for wrong in (b"\xff", b"\xc3", b"\xe2\x82", b"\xe2\x82x", b"\xc3(rest\n"):
        content = before.encode() + wrong
        with pytest.raises(UnicodeDecodeError) as expected:
            content.decode()
        start = expected.value.start
        line = content.count(b"\n", 0, start) + 1
        for body in in_a_file(content):
            with pytest.raises(ContractError, match=rf"byte {start} \(line {line}\)"):
                check_utf8(body, "it")


def test_characters_are_counted_and_not_bytes() -> None:
    text = "aü€𝄞\nb" * 3
    content = text.encode()
    for body in in_a_file(content):
        for end in range(len(content) + 1):
            for start in (0, 1, 3):
                # A character counts where it begins.
                begun = sum(byte & 0xC0 != 0x80 for byte in content[start:end])
                assert characters(body, start, end) == begun
            assert count(body, b"\n", before=end) == content.count(b"\n", 0, end)
