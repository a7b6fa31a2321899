"""The rules of docs/reference/outcomes.md, each by a case worked by hand."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from credit_scoring.outcomes.decisions import (
    CHALLENGER_COLUMNS,
    DECISION_COLUMNS,
    OUTCOME_COLUMNS,
    table_of,
)
from credit_scoring.outcomes.joining import Joined, join_outcomes
from credit_scoring.outcomes.report import outcomes_report

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T12:00:00+00:00")


def decided(*rows: dict[str, Any]) -> pd.DataFrame:
    """Decisions of 31 January, whose window of a month ends on 28 February."""
    columns = {**DECISION_COLUMNS, **CHALLENGER_COLUMNS}
    usual = {
        "scored_at": day("2026-01-31"),
        "arm": "champion",
        "pd": 0.1,
        "score": 560.0,
        "decision": "approve",
    }
    made = [
        {"decision_id": f"{n:032x}", "loan_id": f"L-{n}", **usual, **row}
        for n, row in enumerate(rows)
    ]
    return table_of(made, columns)


def seen(bad: int, on: str, **more: Any) -> dict[str, Any]:
    row = {"bad": bad, "observed_at": day(on), "received_at": AS_OF}
    return {"loan_id": "L-0", **row, **more}


def joined(decisions: pd.DataFrame, *outcomes: dict[str, Any]) -> Joined:
    table = table_of(list(outcomes), OUTCOME_COLUMNS)
    return join_outcomes(decisions, table, window_months=1, as_of=AS_OF)


def statuses(found: Joined) -> list[str]:
    return found.decisions["status"].tolist()


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([], "unknown"),
        ([seen(0, "2026-02-28")], "good"),
        ([seen(0, "2026-05-01")], "good"),
        ([seen(0, "2026-02-27")], "unknown"),
        ([seen(1, "2026-02-01")], "bad"),
        ([seen(1, "2026-02-28")], "bad"),
        ([seen(1, "2026-03-01")], "unknown"),
        ([seen(0, "2026-03-01"), seen(1, "2026-04-01")], "good"),
        ([seen(0, "2026-02-10"), seen(1, "2026-04-01")], "unknown"),
        ([seen(0, "2026-02-10"), seen(1, "2026-02-20")], "bad"),
    ],
)
def test_a_mature_decision_has_the_outcome_of_its_window(
    outcomes: list[dict[str, Any]], status: str
) -> None:
    assert statuses(joined(decided({}), *outcomes)) == [status]


def test_a_bad_one_after_the_window_is_counted_as_late() -> None:
    found = joined(decided({}), seen(1, "2026-03-01"))
    assert found.counts["late"] == 1
    assert found.decisions["bad"].isna().all()


def test_a_decision_whose_window_goes_on_is_immature_even_if_it_is_bad() -> None:
    young = decided({"scored_at": day("2026-05-10")})
    assert statuses(joined(young, seen(1, "2026-05-20"))) == ["immature"]


def test_an_outcome_that_is_said_twice_counts_once() -> None:
    twice = [
        seen(1, "2026-02-10", received_at=day("2026-03-01")),
        seen(1, "2026-02-10"),
    ]
    found = joined(decided({}), *twice)
    assert statuses(found) == ["bad"]
    assert (found.counts["duplicate"], found.counts["matched"]) == (1, 1)
    assert found.counts["conflicting_decisions"] == 0


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ((1, "2026-02-10"), (0, "2026-03-10"), "good"),
        ((0, "2026-02-10"), (1, "2026-02-11"), "bad"),
        ((0, "2026-02-10"), (1, "2026-02-10"), "bad"),
    ],
)
def test_of_contradicting_outcomes_the_newest_holds_and_they_are_counted(
    first: tuple[int, str], second: tuple[int, str], status: str
) -> None:
    for order in ((first, second), (second, first)):
        found = joined(decided({}), *(seen(*one) for one in order))
        assert statuses(found) == [status]
        assert found.counts["conflicting_decisions"] == 1


def test_an_outcome_of_an_unknown_loan_is_kept_aside_and_matched_later() -> None:
    outcome = seen(1, "2026-02-10", loan_id="L-1")
    found = joined(decided({}), outcome)
    assert found.counts["unknown_decision"] == 1
    assert found.unmatched["loan_id"].tolist() == ["L-1"]
    later = joined(decided({}, {}), outcome)
    assert statuses(later) == ["unknown", "bad"]
    assert later.unmatched.empty


def test_an_outcome_may_name_the_decision_and_must_be_right_about_both() -> None:
    by_id = seen(1, "2026-02-10", loan_id=None, decision_id=f"{1:032x}")
    assert statuses(joined(decided({}, {}), by_id)) == ["unknown", "bad"]
    both = {**by_id, "loan_id": "L-1"}
    assert statuses(joined(decided({}, {}), both)) == ["unknown", "bad"]
    wrong = joined(decided({}, {}), {**by_id, "loan_id": "L-0"})
    assert statuses(wrong) == ["unknown", "unknown"]
    assert len(wrong.unmatched) == 1


def test_a_loan_decided_twice_is_judged_by_the_window_of_each_decision() -> None:
    twice = decided(
        {"loan_id": "L-0"}, {"loan_id": "L-0", "scored_at": day("2026-03-15")}
    )
    found = joined(twice, seen(1, "2026-04-01"))
    assert statuses(found) == ["unknown", "bad"]
    assert found.counts["before_the_decision"] == 0


def test_a_declined_applicant_is_never_good() -> None:
    found = joined(decided({"decision": "decline"}), seen(0, "2026-03-01"))
    assert statuses(found) == ["declined"]
    assert found.counts["on_declined"] == 1
    assert found.decisions["bad"].isna().all()


def test_what_was_seen_before_the_decision_is_rejected() -> None:
    found = joined(decided({}), seen(0, "2026-01-30"))
    assert statuses(found) == ["unknown"]
    assert found.counts["before_the_decision"] == 1
    assert found.counts["matched"] == 0


def test_what_came_after_the_moment_of_the_report_is_not_looked_at() -> None:
    found = joined(decided({}, {"scored_at": day("2026-07-01")}), seen(0, "2026-07-01"))
    assert statuses(found) == ["unknown"]
    assert found.counts["observed_later"] == 1


def test_the_report_sets_those_with_an_outcome_beside_all() -> None:
    decisions = decided(
        {"pd": 0.1}, {"pd": 0.2}, {"pd": 0.6, "decision": "decline", "score": 400.0}
    )
    found = joined(
        decisions, seen(0, "2026-03-01"), seen(1, "2026-02-02", loan_id="L-1")
    )
    report = outcomes_report(found, window_months=1, as_of="now", rejected_rows=2)
    assert report["statuses"] == {
        "good": 1, "bad": 1, "immature": 0, "declined": 1, "unknown": 0,
    }  # fmt: skip
    assert report["statuses_by_decision"] == {
        "approve": {"good": 1, "bad": 1},
        "decline": {"declined": 1},
    }
    figures = report["figures"]
    assert figures["bad_rate"] == 0.5
    assert figures["mean_pd_with_outcome"] == pytest.approx(0.15)
    assert figures["mean_pd_of_all"] == pytest.approx(0.3)
    assert figures["share_declined"] == pytest.approx(1 / 3)
    assert report["outcomes"]["rejected_rows"] == 2
    assert set(report["selection"]) >= {"bad_rate", "calibration", "discrimination"}


def test_a_report_of_nothing_has_no_figures() -> None:
    report = outcomes_report(
        joined(decided()), window_months=1, as_of="now", rejected_rows=0
    )
    assert report["decisions"] == 0
    assert set(report["figures"].values()) == {None}
