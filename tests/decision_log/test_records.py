"""What is written can be read again, each float to the bit."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from credit_scoring.decision_log.records import (
    DecisionEntry,
    encode,
    read_index_line,
    read_segment_line,
    sayable,
)


def read_again(entry: DecisionEntry) -> DecisionEntry:
    return msgspec.json.decode(encode(entry), type=DecisionEntry)


def canonical(values: list[float]) -> bytes:
    """Bits of the values, all NaN alike."""
    array = np.array(values, dtype=np.float64)
    array[np.isnan(array)] = np.nan
    return array.tobytes()


@given(st.lists(st.floats(width=64), min_size=1, max_size=60))
@example([5e-324, -5e-324, -0.0, 0.0, 1.7976931348623157e308, 2.2250738585072014e-308])
@example([math.inf, -math.inf, math.nan])
@example([1e200, 1e200, 3.0])
def test_features_are_read_as_they_were_computed(values: list[float]) -> None:
    from_file = msgspec.json.decode(
        msgspec.json.encode(sayable(values)), type=list[float | str | None]
    )
    entry = msgspec.structs.replace(minimal(), features=from_file)
    row = entry.feature_row()
    assert row is not None
    assert canonical(row.tolist()) == canonical(values)


@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
@example(-0.0)
def test_a_margin_is_read_as_it_was_computed(value: float) -> None:
    again = read_again(msgspec.structs.replace(minimal(), margin=value, pd=value))
    assert np.float64(again.margin).tobytes() == np.float64(value).tobytes()
    assert np.float64(again.pd).tobytes() == np.float64(value).tobytes()


def test_an_entry_is_read_as_it_was_written(
    entry: Callable[..., DecisionEntry],
) -> None:
    written = entry(3, features=[1.0, None, 2.5])
    assert read_again(written) == written


def test_without_features_there_is_no_row(entry: Callable[..., DecisionEntry]) -> None:
    assert read_again(entry(1, features=None, margin=None)).feature_row() is None


def test_a_line_says_what_it_is(entry: Callable[..., DecisionEntry]) -> None:
    line: dict[str, Any] = msgspec.json.decode(encode(entry(1)))
    assert line["kind"] == "decision"
    assert line["reasons"] == [{"code": "LATE", "feature": "lateness", "points": -12.5}]
    assert line["features"] == [0.1, None, 7.0]
    assert line["scored_at"] == "2026-03-04T12:00:01Z"


def test_a_name_that_leads_elsewhere_is_no_segment() -> None:
    line = b'{"kind":"opened","segment":"../../secret","at":"2026-03-04T12:00:01Z"}'
    assert read_index_line(line) is None


@pytest.mark.parametrize("content", [b"\xff", b"{}", b"[", b"[" * 100_000, b""])
def test_what_is_no_line_is_none(content: bytes) -> None:
    nested = b'{"kind":"decision","inputs":%b}' % content
    assert read_segment_line(content) is None
    assert read_segment_line(nested) is None
    assert read_index_line(content) is None


def minimal() -> DecisionEntry:
    return msgspec.convert(
        {
            "kind": "decision",
            "decision_id": "",
            "loan_id": "",
            "scored_at": "2026-03-04T12:00:01Z",
            "arm": "",
            "feature_source": "",
            "explained": False,
            "inputs": {},
            "features": None,
            "margin": None,
            "pd": None,
            "score": None,
            "band": None,
            "decision": "",
            "reasons": [],
            "model": {"name": "", "version": "", "role": "", "digest": ""},
            "policy_version": "",
        },
        DecisionEntry,
    )
