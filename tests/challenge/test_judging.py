from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from credit_scoring.challenge.comparing import compare
from credit_scoring.challenge.judging import Judged, judge_challenge
from credit_scoring.challenge.looks import add_look
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.challenge.selection import Pair, select_decisions
from credit_scoring.registry.gate_parameters import GateParameters

from .conftest import MATTERS

Decided = Callable[..., pd.DataFrame]
SOUND = {
    "gates": [
        {"name": "artifact_verified", "passed": True},
        {"name": "auc_against_champion", "passed": False},
        {"name": "fairness_sex_female_impact_ratio", "passed": True},
    ]
}


def judged(
    table: pd.DataFrame,
    pair: Pair,
    parameters: ChallengeParameters,
    gates: GateParameters,
    evidence: Mapping[str, Any] | None = SOUND,
) -> Judged:
    chosen = select_decisions(table, pair, parameters, exposure="credit_limit")
    comparison = compare(chosen, parameters, gates.profit.costs)
    return judge_challenge(
        chosen, comparison, parameters=parameters, gates=gates, evidence=evidence
    )


def refused(found: Judged) -> set[str]:
    return {gate.name for gate in found.gates if not gate.passed}


@pytest.fixture
def better(shadowed: Decided) -> pd.DataFrame:
    return shadowed(20_000, champion_noise=2.5, challenger_noise=0.3)


def test_a_better_challenger_is_promoted(
    better: pd.DataFrame,
    pair: Pair,
    parameters: ChallengeParameters,
    gates: GateParameters,
) -> None:
    found = judged(better, pair, parameters, gates)
    assert refused(found) == set()
    assert found.verdict == "promote"
    assert "better by +0.0" in found.why


def test_a_worse_challenger_is_retired(
    shadowed: Decided,
    pair: Pair,
    parameters: ChallengeParameters,
    gates: GateParameters,
) -> None:
    table = shadowed(20_000, champion_noise=0.3, challenger_noise=2.5)
    found = judged(table, pair, parameters, gates)
    assert found.verdict == "retire"
    assert "log_loss is worse, at all looks together" in found.why


def test_an_equal_challenger_goes_on(
    shadowed: Decided,
    pair: Pair,
    parameters: ChallengeParameters,
    gates: GateParameters,
) -> None:
    table = shadowed(5000, champion_noise=1.0, challenger_noise=1.0)
    found = judged(table, pair, parameters, gates)
    assert found.verdict == "keep"
    assert "primary" in refused(found)


def test_no_record_that_judged_it_keeps_it_where_it_is(
    better: pd.DataFrame,
    pair: Pair,
    parameters: ChallengeParameters,
    gates: GateParameters,
) -> None:
    found = judged(better, pair, parameters, gates, None)
    assert found.verdict == "keep"
    assert refused(found) == {"recorded_fairness", "recorded_gates"}
    unfair = {
        "gates": [
            *SOUND["gates"],
            {"name": "fairness_age_assigned", "passed": False},
        ]
    }
    found = judged(better, pair, parameters, gates, unfair)
    assert refused(found) == {"recorded_fairness"}
    assert found.verdict == "keep"


def test_a_miscalibrated_challenger_is_not_promoted(
    better: pd.DataFrame,
    pair: Pair,
    parameters: ChallengeParameters,
    gates: GateParameters,
) -> None:
    better["challenger_pd"] = better["challenger_pd"] * 0.7
    strict = parameters.model_copy(update={"ask_slope": True})
    found = judged(better, pair, strict, gates)
    assert "calibration_slope" in {gate.name for gate in found.gates}
    assert "calibration_in_the_large" in refused(found)
    assert found.verdict == "keep"


def test_few_outcomes_and_many_left_out_decide_nothing(
    shadowed: Decided,
    pair: Pair,
    parameters: ChallengeParameters,
    gates: GateParameters,
) -> None:
    worse = shadowed(20_000, champion_noise=0.3, challenger_noise=2.5)
    strict = parameters.model_copy(update={"minimum_outcomes": 50_000})
    found = judged(worse, pair, strict, gates)
    assert (found.verdict, "outcomes" in refused(found)) == ("keep", True)
    left_out = worse.index[100:] % 5 == 0
    worse.loc[worse.index[100:][left_out], ["challenger_pd", "challenger_digest"]] = [
        None,
        None,
    ]
    found = judged(worse, pair, parameters, gates)
    assert (found.verdict, "followed" in refused(found)) == ("keep", True)


def test_nothing_measured_promotes_nobody(
    shadowed: Decided,
    pair: Pair,
    parameters: ChallengeParameters,
    gates: GateParameters,
) -> None:
    table = shadowed(100, champion_noise=1, challenger_noise=1).assign(status="unknown")
    for design in ("shadow", "split"):
        asked = parameters.model_copy(update={"design": design})
        found = judged(table, pair, asked, gates)
        assert found.verdict == "keep"
        assert {"outcomes", "primary", "profit_against_champion"} <= refused(found)
    none = judged(table.iloc[:0], pair, asked, gates)
    assert "arm_sizes" in refused(none)


def test_arms_of_a_wrong_size_decide_nothing(
    split: Decided, pair: Pair, parameters: ChallengeParameters, gates: GateParameters
) -> None:
    by_arm = parameters.model_copy(update={"design": "split", "challenger_share": 0.5})
    table = split(30_000, champion_noise=2.5, challenger_noise=0.2)
    assert judged(table, pair, by_arm, gates).verdict == "promote"
    # A tenth of the challenger's arm is lost on the way.
    lost = (table["arm"] == "challenger") & (table.index % 10 == 0)
    found = judged(table.loc[~lost], pair, by_arm, gates)
    assert (found.verdict, refused(found)) == ("keep", {"arm_sizes"})


def test_parameters_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match="one interval could ask for both"):
        ChallengeParameters(
            smallest_difference=MATTERS, retire_below=0.1, promote_above=0.0
        )


def test_a_look_at_the_same_data_is_not_counted_twice() -> None:
    look = {"champion": "a", "challenger": "b", "design": "shadow", "data": "1"}
    looks = add_look(add_look([], look), look)
    assert looks == [look]
    newer = look | {"data": "2"}
    other = look | {"challenger": "c"}
    assert add_look(add_look(looks, other), look) == [look, other]
    assert add_look(add_look(looks, other), newer) == [look, other, newer]
