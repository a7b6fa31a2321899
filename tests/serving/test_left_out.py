"""Lines about a runner left out: few, and without an applicant's data."""

import logging

import pytest

from credit_scoring.serving.left_out import KINDS, LeftOutError, LeftOutLog, kind_of


def test_each_kind_has_its_meaning() -> None:
    assert {kind_of(LeftOutError(kind)) for kind in KINDS} == set(KINDS)
    assert len({str(LeftOutError(kind)) for kind in KINDS}) == len(KINDS)
    assert kind_of(ZeroDivisionError()) == "failed"


def test_many_at_once_are_one_line_and_no_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 100.0
    log = LeftOutLog("the challenger", clock=lambda: now)
    for _ in range(500):
        log.add(ValueError("secret amount 666"))
    log.add(LeftOutError("slow"))
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    now += 11
    log.add(ValueError("secret"))
    assert caplog.messages == [
        "the challenger left out 1 times: it raised an error (ValueError)",
        "the challenger left out 1 times: it exceeded its time (LeftOutError)",
        "the challenger left out 500 times: it raised an error (ValueError)",
    ]
