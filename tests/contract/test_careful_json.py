"""JSON read with care, whole and element by element."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from credit_scoring.contract import careful_json
from credit_scoring.contract.careful_json import JsonObject, load_array, load_json
from credit_scoring.contract.model import Contract
from credit_scoring.contract.request_schema import request_example
from credit_scoring.errors import InvalidRequestError

ROWS = 20_000
_TRAILING_COMMA = re.compile(rb",\s*\]")


def elements(body: bytes) -> list[object] | str:
    """The elements, or what is said to be wrong."""
    try:
        return list(load_array(body))
    except InvalidRequestError as error:
        return error.errors[0].message


def whole(body: bytes) -> list[object] | str:
    """The same by Python's parser at once."""
    if not body.strip(b" \t\r\n"):
        return "is empty; expected JSON"
    try:
        found = json.loads(body.decode(), object_pairs_hook=JsonObject, parse_int=float)
    except UnicodeDecodeError as error:
        return f"is not UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        return f"is not valid JSON at {place}"
    if isinstance(found, list) and not isinstance(found, JsonObject):
        return found
    return f"is {careful_json.kind_of(found)}; expected a JSON array"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def spoiled_arrays(draw: st.DrawFn) -> bytes:
    """An array as it may be written, with something left out, put in, or cut off."""
    given = draw(st.lists(values, max_size=6) | values)
    body = json.dumps(
        given,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 1])),
    ).encode("utf-8", "surrogatepass")
    place = draw(st.integers(0, len(body)))
    spoil = draw(st.sampled_from([b"", b",", b"]", b"}", b'"', b"\\", b"\xff", b" 1"]))
    kept = draw(st.sampled_from([place, place + 1, len(body)]))
    return body[:place] + spoil + body[kept:]


@settings(deadline=None, max_examples=400)
@given(body=spoiled_arrays(), window=st.integers(4, 64))
@example(body=b'[{"a": 1},   ', window=4)
@example(body=b'["' + b"a" * 100, window=8)
@example(body='["ä", "€'.encode()[:-1], window=5)
@example(body=b"[1.25e-7, -12, tru", window=4)
@example(body=b"\xef\xbb\xbf[]", window=4)
def test_by_elements_the_same_is_read_and_said_as_at_once(
    body: bytes, window: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(careful_json, "_WINDOW_BYTES", window)
        found, expected = elements(body), whole(body)
    if "NaN" in str(found) or "expected a JSON array" in found:
        return
    # Python 3.13 names the comma, and others the bracket after it.
    if isinstance(found, str) and _TRAILING_COMMA.search(body):
        assert isinstance(expected, str)
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is empty; expected JSON"),
        (b" " * 100, "is empty; expected JSON"),
        (b'{"a": [' + b"1, " * 100, "is an object; expected a JSON array"),
        (b'"' + b"a" * 100, "is a string; expected a JSON array"),
        (b'{"a": 1}', "is an object; expected a JSON array"),
        (b"7" + b" " * 100, "is a number; expected a JSON array"),
        (b"7" + b" " * 100 + b"7", "is not valid JSON at line 1, column 102"),
        (b"[1, NaN, ]", "is not valid JSON: it holds NaN or an infinity"),
        (b"[1, -Infinity]", "is not valid JSON: it holds NaN or an infinity"),
        (b"[1, " + b"[" * 100_000, "is nested too deeply"),
        ("[1,\n\n 'ä']".encode(), "is not valid JSON at line 3, column 2"),
        ('["ä",\n "ää" 3]'.encode(), "is not valid JSON at line 2, column 7"),
        (b"[1] " + b" " * 100 + b"]", "is not valid JSON at line 1, column 105"),
    ],
)
def test_what_is_no_array_is_told_with_its_place(
    body: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(careful_json, "_WINDOW_BYTES", 16)
    assert elements(body) == message


def test_a_value_is_read_with_all_members() -> None:
    found = load_json(b' {"a": 1, "a": 2} ')
    assert found == [("a", 1.0), ("a", 2.0)]
    with pytest.raises(InvalidRequestError, match="line 1, column 4"):
        load_json(b"{} {}")


_PROGRAM = """
import json, mmap, sys, tracemalloc
from credit_scoring.contract.loading import contract_from_mapping
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.contract.model import Contract
from credit_scoring.contract.request_schema import request_example
from credit_scoring.errors import InvalidRequestError

decoder = RequestDecoder(contract_from_mapping(json.load(sys.stdin)))
with open(sys.argv[1], "rb") as file:
    body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    tracemalloc.start()
    try:
        print(sum(1 for _ in decoder.decode_many(body)))
    except InvalidRequestError as error:
        print(error.errors[0].message)
    print(tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (b"", "is not valid JSON at line 20000, column {length}"),
        (b', {"loan_id": NaN}]', "is not valid JSON: it holds NaN or an infinity"),
        (b', {"loan_id": "\xff"}', "is not UTF-8 at byte {byte}"),
        # Right, and refused by the fast parser.
        (b', {"loan_id": "\\ud800"}]', "20001"),
    ],
)
@pytest.mark.no_cover
def test_a_large_array_that_is_broken_takes_a_small_part_of_its_size(
    end: bytes, said: str, contract: Contract, tmp_path: Path
) -> None:
    row = json.dumps(request_example(contract))
    path = tmp_path / "body.json"
    body = b"[" + ",\n".join([row] * ROWS).encode()
    path.write_bytes(body + end)
    found = subprocess.run(
        [sys.executable, "-c", _PROGRAM, path],
        input=json.dumps(contract.model_dump(mode="json")),
        capture_output=True,
        text=True,
        check=True,
    )
    message, memory = found.stdout.splitlines()
    assert message == said.format(length=len(row) + 1, byte=len(body) + 15)
    assert len(body) > 10_000_000
    # Decoded as a whole, it took ten times its size.
    assert int(memory) < len(body) / 2
