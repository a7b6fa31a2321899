"""Fairness of live decisions, where groups are known."""

import pandas as pd
import pytest

from credit_scoring.monitoring.counting import GroupCounts
from credit_scoring.monitoring.fairness import groups_of, judge_groups
from credit_scoring.monitoring.parameters import LiveFairness, MonitoringParameters

from .conftest import DAY, drawn, entries


@pytest.fixture
def fairness(parameters: MonitoringParameters) -> LiveFairness:
    return parameters.fairness


PROTECTED = pd.DataFrame(
    {
        "loan_id": [f"L-{n}" for n in range(1000)],
        "sex": [1 + n % 2 for n in range(1000)],
    }
)


def counted(fairness: LiveFairness, approve_female: int) -> GroupCounts:
    """All men of 1000 approved, and of 500 women so many; 10 whom nobody knows."""
    counts = GroupCounts(groups_of(PROTECTED, fairness))
    for number, entry in enumerate(entries(drawn(1010, 1), DAY)):
        female = number % 2 == 1
        approved = not female or number // 2 < approve_female
        changed = entries(
            drawn(1, 1),
            DAY,
            start=number,
            decision="approve" if approved else "decline",
        )
        assert changed[0].loan_id == entry.loan_id
        counts.add(changed[0])
    return counts


@pytest.mark.parametrize(
    ("approved", "verdict"), [(480, "ok"), (395, "warn"), (300, "alert")]
)
def test_a_group_is_approved_less_often(
    fairness: LiveFairness, approved: int, verdict: str
) -> None:
    judged = judge_groups(counted(fairness, approved), fairness)
    (finding,) = judged.findings
    assert finding.subject == "fairness_sex"
    assert finding.verdict == verdict
    assert finding.value == pytest.approx(approved / 500)
    assert finding.message == (
        f"lowest approval rate by sex {approved / 500:.3f} of the highest, 10 of "
        "1,010 decisions in no group"
    )
    figures = judged.figures["sex"]
    assert figures["reference"] == "male"
    assert figures["unassigned"] == 10
    assert figures["groups"]["female"]["approved"] == approved


def test_that_everybody_is_in_a_group_needs_no_words(fairness: LiveFairness) -> None:
    counts = GroupCounts(groups_of(PROTECTED, fairness))
    for entry in entries(drawn(1000, 1), DAY, decision="approve"):
        counts.add(entry)
    (finding,) = judge_groups(counts, fairness).findings
    assert finding.message == "lowest approval rate by sex 1.000 of the highest"


def test_a_small_group_is_reported_and_not_judged(fairness: LiveFairness) -> None:
    asked = fairness.model_copy(update={"small_rows": 501})
    judged = judge_groups(counted(fairness, 300), asked)
    assert judged.findings[0].verdict == "ok"
    assert judged.figures["sex"]["groups"]["female"]["impact_ratio"]["value"] == 0.6


def test_without_protected_columns_the_figures_say_so(fairness: LiveFairness) -> None:
    for table in (None, pd.DataFrame(), pd.DataFrame({"loan_id": ["L-1"]})):
        groups = groups_of(table, fairness)
        assert groups == {}
        counts = GroupCounts(groups)
        counts.add(entries(drawn(1, 1), DAY)[0])
        judged = judge_groups(counts, fairness)
        assert judged.findings == []
        assert "absent" in judged.figures["sex"]


def test_nobody_approved_is_no_ratio(fairness: LiveFairness) -> None:
    counts = GroupCounts(groups_of(PROTECTED, fairness))
    for entry in entries(drawn(500, 1), DAY, decision="decline"):
        counts.add(entry)
    judged = judge_groups(counts, fairness)
    assert "impact_ratio" not in judged.figures["sex"]["groups"]["male"]
