from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from credit_scoring.decision_log.chain import GENESIS
from credit_scoring.errors import DecisionLogError, ReplayError
from credit_scoring.pipelines.replay.nodes import decide_again, require_reproduction
from credit_scoring.pipelines.replay.parameters import ReplayParameters
from credit_scoring.run_summary import render_summary


@pytest.fixture
def report(tmp_path: Path) -> dict[str, Any]:
    """What is found in a log without decisions."""
    found: dict[str, Any] = decide_again(tmp_path, ReplayParameters())["report"]
    return found


def test_a_log_without_decisions_is_as_it_was(
    report: dict[str, Any], tmp_path: Path
) -> None:
    require_reproduction(report)
    assert report["chain"]["head"] == GENESIS.decode()
    table = decide_again(tmp_path, ReplayParameters())["differences"]
    assert list(table.columns) == ["segment", "line", "kind", "field", "problem"]


def test_a_decision_that_is_not_in_the_log_is_refused(tmp_path: Path) -> None:
    asked = ReplayParameters(decision_id="0" * 32)
    with pytest.raises(ReplayError, match="no decision of the log has"):
        decide_again(tmp_path, asked)


def test_a_log_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DecisionLogError, match="cannot be read"):
        decide_again(tmp_path / "nowhere", ReplayParameters())


def test_what_was_changed_stops_the_run_and_is_in_its_table(
    report: dict[str, Any],
) -> None:
    report["reproduced"] = False
    report["chain"] |= {"fault_count": 1, "faults": ["2.jsonl, line 7: altered"]}
    report["differences"] = {
        "count": 2,
        "by_field": {"pd": 1, "score": 1},
        "first": ["2.jsonl, line 7: pd: another number now"],
    }
    said = r"1 fault of .* 2 differences.*line 7: alter"
    with pytest.raises(ReplayError, match=said):
        require_reproduction(report)
    shown = render_summary({"replay_report": report}, seconds=1.0, done=False)
    assert "2: 1 of pd, 1 of score" in shown
    assert "2.jsonl, line 7: altered" in shown
    assert "Stopped after 1.0 s" in shown


@pytest.mark.parametrize(
    "given",
    [{"since": "2026-02-01", "until": "2026-02-01T00:00:00Z"}, {"until": "soon"}],
)
def test_a_span_that_is_none_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ReplayParameters.model_validate(given)


def test_a_day_begins_in_utc() -> None:
    parameters = ReplayParameters.model_validate({"since": "2026-02-01"})
    assert parameters.since is not None
    assert parameters.since.isoformat() == "2026-02-01T00:00:00+00:00"
