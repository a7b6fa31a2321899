from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from credit_scoring.challenge.guard import GuardParameters, Rule
from credit_scoring.pipelines.guard import create_pipeline
from credit_scoring.pipelines.guard.nodes import guard_routing
from credit_scoring.routing_state.state import read_history, read_state

AS_OF = {"as_of": "2026-01-08T00:00:00+00:00"}
GUARD = GuardParameters(window_hours=24 * 30, left_out=Rule(limit=0.1, minimum=50))


def decisions(left_out: int) -> pd.DataFrame:
    roles: Iterator[str] = iter(
        ["champion"] * left_out + ["challenger"] * (200 - left_out)
    )
    return pd.DataFrame(
        {
            "scored_at": pd.date_range("2026-01-01", periods=200, freq="h", tz="UTC"),
            "arm": "challenger",
            "role": list(roles),
            "pd": 0.1,
            "decision": "approve",
            "status": "immature",
            "challenger_pd": float("nan"),
        }
    )


def asked(table: pd.DataFrame, folder: Path, guard: GuardParameters) -> dict[str, Any]:
    return guard_routing(table, AS_OF, folder, guard)


def test_a_rule_that_fires_overrides_the_routing_once(tmp_path: Path) -> None:
    calm = asked(decisions(5), tmp_path, GUARD)
    assert (calm["fired"], calm["override"]) == ([], None)
    assert not read_state(tmp_path).overridden
    first = asked(decisions(150), tmp_path, GUARD)
    again = asked(decisions(150), tmp_path, GUARD)
    assert first["fired"] == ["left_out"]
    assert first["override"] == again["override"]
    (entry,) = read_history(tmp_path)
    assert entry["who"] == "the guard pipeline"
    assert entry["why"].startswith("left_out is +0.7500")


def test_it_may_be_told_only_to_report(tmp_path: Path) -> None:
    quiet = GUARD.model_copy(update={"carry_out": False})
    found = asked(decisions(150), tmp_path, quiet)
    assert (found["fired"], found["override"]) == (["left_out"], None)
    assert not read_state(tmp_path).overridden


@pytest.mark.parametrize("name", ["matured_outcomes", "outcomes_report"])
def test_it_reads_what_the_outcomes_pipeline_made(name: str) -> None:
    assert name in create_pipeline().inputs()
