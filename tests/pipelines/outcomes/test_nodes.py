"""Outcomes of the service's log and of files, joined with a real decision log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from credit_scoring.decision_log.records import (
    DecisionEntry,
    LoggedModel,
    Origin,
    OutcomeEntry,
    ShadowEntry,
)
from credit_scoring.decision_log.writer import DecisionLog
from credit_scoring.errors import OutcomeError
from credit_scoring.pipelines.outcomes.nodes import gather_outcomes, match_outcomes
from credit_scoring.pipelines.outcomes.parameters import OutcomesParameters

START = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = Origin("0", "c", inputs=(), models=())
CHAMPION = LoggedModel("credit_scoring", "7", "champion", "d" * 64)
CHALLENGER = LoggedModel("credit_scoring", "8", "challenger", "e" * 64)
PARAMETERS = OutcomesParameters(window_months=1, as_of=datetime(2026, 6, 1))


def entry(number: int) -> DecisionEntry:
    return DecisionEntry(
        decision_id=f"{number:032x}",
        loan_id=f"L-{number}",
        scored_at=START + timedelta(seconds=number),
        arm="champion",
        feature_source="request",
        explained=False,
        inputs={},
        features=[1.0],
        margin=-1.0,
        pd=0.25,
        score=501.5,
        band="B",
        decision="approve",
        reasons=[],
        model=CHAMPION,
        policy_version="p",
    )


@pytest.fixture
def decision_log(tmp_path: Path) -> Path:
    folder = tmp_path / "decisions"
    log = DecisionLog(folder, ORIGIN)
    log.append([entry(number) for number in range(4)])
    followed = ShadowEntry(
        f"{1:032x}", START, -0.5, 0.35, 470.5, "C", "decline", [], CHALLENGER, "p"
    )
    log.append_shadows([followed])
    log.close()
    return folder


@pytest.fixture
def outcome_log(tmp_path: Path) -> Path:
    folder = tmp_path / "outcomes"
    log = DecisionLog(folder, ORIGIN)
    log.append([OutcomeEntry(START, START + timedelta(days=9), 1, loan_id="L-1")])
    log.close()
    return folder


def files(*rows: dict[str, Any]) -> pd.DataFrame:
    usual = {"observed_at": "2026-03-01", "source_file": "a.csv"}
    return pd.DataFrame(
        [{**usual, "source_row": n, **row} for n, row in enumerate(rows, start=1)]
    )


def test_outcomes_of_the_log_and_of_files_are_joined(
    decision_log: Path, outcome_log: Path
) -> None:
    given = files(
        {"loan_id": "L-2", "bad": "0"},
        {"loan_id": "L-3", "bad": "maybe"},
        {"loan_id": "", "bad": "0"},
        {"loan_id": "L-9", "bad": "0"},
    )
    gathered = gather_outcomes(outcome_log, given)
    rejected = gathered["rejected"]
    assert rejected["row"].tolist() == [2, 3]
    assert rejected["field"].tolist() == ["bad", "loan_id"]
    assert "maybe" not in rejected.to_string()
    found = match_outcomes(decision_log, gathered["outcomes"], rejected, PARAMETERS)
    matured = found["matured"]
    assert matured["status"].tolist() == ["unknown", "bad", "good", "unknown"]
    assert "loan_id" not in matured
    assert matured["challenger_pd"].tolist()[1] == 0.35
    assert matured["challenger_pd"].isna().sum() == 3
    assert matured["pd"].tolist() == [0.25] * 4
    assert found["unmatched"]["loan_id"].tolist() == ["L-9"]
    assert found["report"]["outcomes"]["rejected_rows"] == 2


def test_nothing_was_reported_yet(decision_log: Path, tmp_path: Path) -> None:
    none = files().reindex(columns=["source_file", "source_row"])
    gathered = gather_outcomes(tmp_path / "nowhere", none)
    found = match_outcomes(
        decision_log, gathered["outcomes"], gathered["rejected"], PARAMETERS
    )
    assert set(found["matured"]["status"]) == {"unknown"}


def test_a_log_that_was_changed_is_not_joined(decision_log: Path) -> None:
    (segment,) = decision_log.glob("2*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b'"pd":0.25', b'"pd":0.35', 1))
    none = files().reindex(columns=["source_file", "source_row"])
    gathered = gather_outcomes(decision_log / "nowhere", none)
    with pytest.raises(OutcomeError, match=r"1 faults .* line 2: altered"):
        match_outcomes(
            decision_log, gathered["outcomes"], gathered["rejected"], PARAMETERS
        )
