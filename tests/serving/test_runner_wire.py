"""Rows and decisions between processes arrive to the bit, and nothing else does."""

import pickle
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.decision.decisions import Decision, Reason
from credit_scoring.serving.runner_wire import (
    WireError,
    encoded_outcomes,
    encoded_rows,
    path_of,
    read_outcomes,
    read_rows,
)

floats = st.floats(width=64)


@given(st.lists(st.lists(floats, min_size=3, max_size=3), min_size=1, max_size=20))
def test_rows_arrive_to_the_bit(rows: list[list[float]]) -> None:
    sent = np.array(rows, dtype=np.float64)
    read = read_rows(encoded_rows(sent), 3)
    assert read.tobytes() == sent.tobytes()
    assert read.flags.writeable
    assert read.flags.c_contiguous


def test_rows_in_another_order_arrive_as_they_are_meant() -> None:
    turned = np.arange(6.0).reshape(2, 3).T
    assert read_rows(encoded_rows(turned), 2).tolist() == turned.tolist()


@given(floats, floats, st.lists(floats, max_size=5))
def test_decisions_arrive_to_the_bit(pd: float, score: float, x: list[float]) -> None:
    reasons = (
        Reason("LATE", None, "You paid late.", -score),
        Reason("R", "a", "b", None),
    )
    sent = [Decision(pd, score, "A", "refer", reasons, pd, x), None]
    read = read_outcomes(encoded_outcomes(sent), 2)
    assert read[1] is None
    assert read[0] is not None
    assert bits(read[0]) == bits(sent[0])


def bits(decision: Any) -> Any:
    values = [decision.pd, decision.score, decision.margin, *decision.features]
    points = [reason.points for reason in decision.reasons if reason.points is not None]
    plain = msgspec.structs.replace(
        decision, pd=None, score=None, margin=None, features=None, reasons=()
    )
    words = [(r.code, r.feature, r.text) for r in decision.reasons]
    return np.array(values).tobytes(), np.array(points).tobytes(), plain, words


@pytest.mark.parametrize("body", [b"", b"1234567", bytes(24)])
def test_what_are_no_whole_rows_is_refused(body: bytes) -> None:
    with pytest.raises(WireError, match="bytes are not whole rows of 2 columns"):
        read_rows(body, 2)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", pickle.dumps([None]), b"\x91" * 100_000]
)
def test_what_is_no_list_of_decisions_is_refused(body: bytes) -> None:
    with pytest.raises(WireError, match="not a list of decisions"):
        read_outcomes(body, 1)


def test_too_few_decisions_are_refused() -> None:
    with pytest.raises(WireError, match="1 decisions for 2 rows"):
        read_outcomes(encoded_outcomes([None]), 2)


def test_a_path_names_the_artifact_and_the_question() -> None:
    assert path_of("ab", explain=False) == "/runner/ab/plain"
    assert path_of("ab", explain=True) == "/runner/ab/explained"
