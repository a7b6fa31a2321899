"""Outcomes that a served Bento was told, after its worker is killed."""

from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from credit_scoring.decision_log.reader import read_decisions, verify_log
from credit_scoring.outcomes.decisions import read_decision_table, read_outcome_table
from credit_scoring.outcomes.joining import join_outcomes
from credit_scoring.serving.local_server import LocalServer

Row = dict[str, Any]

pytestmark = pytest.mark.end_to_end


def test_a_killed_service_has_kept_every_outcome_that_it_answered(
    bento: str, applications: list[Row], tmp_path: Path
) -> None:
    environment = {
        "CREDIT_SCORING_DECISION_LOG_DIR": str(tmp_path / "decisions"),
        "CREDIT_SCORING_OUTCOMES_DIR": str(tmp_path / "outcomes"),
    }
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with LocalServer(bento, tmp_path / "server.log").running(
        environment=environment
    ) as url:
        answers = httpx.post(f"{url}/predict/batch", json=applications[:20]).json()
        day = answers[0]["scored_at"][:10]
        rows = [
            {"decision_id": one["decision_id"], "bad": 0, "observed_at": day}
            for one in answers
        ]
        told = httpx.post(f"{url}/outcomes", json=rows)
        assert [row["recorded"] for row in told.json()] == [True] * 20
        for child in psutil.Process().children(recursive=True):
            if child.pid not in before:
                child.kill()
    assert verify_log(tmp_path / "outcomes").outcomes == 20
    outcomes = read_outcome_table(tmp_path / "outcomes")
    decisions = read_decision_table(tmp_path / "decisions")
    assert len(list(read_decisions(tmp_path / "decisions"))) == len(decisions) == 20
    end = outcomes["observed_at"].max()
    found = join_outcomes(decisions, outcomes, window_months=1, as_of=end)
    assert found.counts["matched"] == 20
    assert set(found.decisions["status"]) <= {"immature", "declined"}
