from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from credit_scoring.challenge.guard import Finding, GuardParameters, Rule, watch
from credit_scoring.evaluation.calibration import wilson_interval

Decided = Callable[..., pd.DataFrame]
AS_OF = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=30)
RULES = GuardParameters(
    window_hours=24 * 40,
    left_out=Rule(limit=0.1, minimum=200),
    approval_gap=Rule(limit=0.1, minimum=200),
    pd_divergence=Rule(limit=0.05, minimum=200),
    bad_rate=Rule(limit=0.02, minimum=200),
)


@pytest.fixture
def by_arm(split: Decided) -> pd.DataFrame:
    table = split(4000, champion_noise=1.0, challenger_noise=1.0)
    return table.assign(role=table["arm"])


def asked(table: pd.DataFrame, rules: GuardParameters = RULES) -> dict[str, Finding]:
    return {finding.rule: finding for finding in watch(table, rules, as_of=AS_OF)}


def fired(table: pd.DataFrame) -> set[str]:
    return {name for name, finding in asked(table).items() if finding.fired}


def test_two_alike_fire_nothing(by_arm: pd.DataFrame, shadowed: Decided) -> None:
    assert fired(by_arm) == set()
    table = shadowed(2000, champion_noise=1.0, challenger_noise=1.0)
    assert fired(table.assign(role="champion")) == set()


def test_a_challenger_that_is_left_out_fires(by_arm: pd.DataFrame) -> None:
    drawn = by_arm.index[by_arm["arm"] == "challenger"]
    by_arm.loc[drawn[:400], "role"] = "champion"
    found = asked(by_arm)["left_out"]
    low, _ = wilson_interval(400, len(drawn), level=0.999)
    assert found.low == low
    assert fired(by_arm) == {"left_out"}
    assert "left_out is +0." in str(found)


def test_a_challenger_that_approves_and_prices_otherwise_fires_either_way(
    by_arm: pd.DataFrame,
) -> None:
    drawn = by_arm["arm"] == "challenger"
    for decision, pd_ in (("approve", 0.01), ("decline", 0.5)):
        table = by_arm.copy()
        table.loc[drawn, "decision"] = decision
        table.loc[drawn, "pd"] = pd_
        assert {"approval_gap", "pd_divergence"} <= fired(table)


def test_a_shadow_that_diverges_or_lags_fires(shadowed: Decided) -> None:
    table = shadowed(2000, champion_noise=1.0, challenger_noise=1.0)
    table = table.assign(role="champion")
    apart = table.assign(challenger_pd=table["pd"] + 0.08)
    assert "pd_divergence" in fired(apart)
    lagging = table.copy()
    lagging.loc[:600, "challenger_pd"] = np.nan
    assert "left_out" in fired(lagging)
    nobody = table.assign(challenger_pd=np.nan)
    assert asked(nobody)["left_out"].figure is None


def test_a_worse_bad_rate_fires_at_all_looks_together(by_arm: pd.DataFrame) -> None:
    theirs = (by_arm["arm"] == "challenger") & (by_arm["status"] == "good")
    worse = by_arm.index[theirs][::4]
    by_arm.loc[worse, "status"] = "bad"
    assert fired(by_arm) == {"bad_rate"}


def test_few_or_old_decisions_fire_nothing(by_arm: pd.DataFrame) -> None:
    by_arm.loc[by_arm["arm"] == "challenger", "role"] = "champion"
    assert "left_out" in fired(by_arm)
    short = RULES.model_copy(update={"window_hours": 1.0})
    found = asked(by_arm, short)["left_out"]
    assert (found.fired, found.figure) == (False, None)
    assert str(found) == "left_out: too few decisions"
    few = RULES.model_copy(update={"left_out": Rule(limit=0.1, minimum=10_000)})
    assert not asked(by_arm, few)["left_out"].fired
    assert asked(by_arm, GuardParameters()) == {}
