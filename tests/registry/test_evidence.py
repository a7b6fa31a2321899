import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from credit_scoring.registry import evidence
from credit_scoring.registry.champion import NO_CHAMPION, Champion
from credit_scoring.registry.evidence import CutOffTargets
from credit_scoring.registry.examination import Examination, TestRows
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.scoring import Scored

TARGETS = CutOffTargets(approval_rates=(0.3, 0.6), bad_rates=(0.2, 0.0001))


@pytest.fixture
def examined(
    folder: Path, rows: TestRows, gate_parameters: GateParameters
) -> Examination:
    alone = Examination(folder, rows, gate_parameters, NO_CHAMPION)
    found = alone.decisions
    scored = Scored(found.margin, found.pd_, found.score, found.outcome[::-1].copy())
    champion = Champion(3, scored, None)
    return Examination(folder, rows, gate_parameters, champion)


def test_the_policys_cut_off_stands_beside_those_of_targets(
    examined: Examination,
) -> None:
    policy, profit, third, most, fifth, none = evidence.cut_off_lines(examined, TARGETS)
    assert (policy["rule"], policy["score"], policy["target"]) == ("policy", 520, None)
    assert policy["approved"] == int((examined.decisions.score >= 520).sum())
    assert profit["expected_profit"] >= policy["expected_profit"]
    assert 0.3 <= third["approval_rate"] < 0.4
    assert most["score"] < third["score"]
    assert (fifth["rule"], fifth["target"]) == ("bad_rate", 0.2)
    assert (none["score"], none["approved"]) == (None, None)
    assert "no cut-off" in none["why"]
    assert {*none} == {*policy}


def test_the_curve_goes_from_nobody_to_everybody(examined: Examination) -> None:
    lines = evidence.profit_lines(examined)
    assert 50 < len(lines) <= 200
    assert [line["score"] for line in lines] == sorted(
        (line["score"] for line in lines), reverse=True
    )
    assert lines[-1]["approval_rate"] == 1
    assert lines[0]["approved"] < 10


def test_every_table_holds_what_the_gates_were_judged_on(
    examined: Examination,
) -> None:
    bands = evidence.band_lines(examined)
    assert [line["band"] for line in bands] == ["A", "B", "C"]
    assert sum(line["rows"] for line in bands) == 400
    shifts = evidence.stability_lines(examined)
    assert [line["name"] for line in shifts] == ["score", "debt_ratio", "months_late"]
    assert shifts[1]["p_value_holm"] == 1
    directions = evidence.monotonicity_lines(examined)
    assert [line["wrong"] for line in directions] == [0, 0]
    facts = evidence.calibration_facts(examined)
    assert {"slope", "slope_low", "in_the_large_high", "level", "tests"} <= {*facts}
    assert {*facts["tests"]} == {"spiegelhalter", "likelihood_ratio", "hosmer_lemeshow"}
    json.dumps([bands, shifts, directions, facts], allow_nan=False)


def test_groups_stand_beside_the_one_they_are_compared_with(
    examined: Examination,
) -> None:
    young, old = evidence.fairness_lines(examined)
    assert (young["attribute"], young["group"], old["group"]) == ("age", "young", "old")
    assert young["judged"] is True
    assert [young["reference"], old["reference"]].count(True) == 1
    other = old if young["reference"] else young
    assert other["reference_group"] != other["group"]
    assert other["impact_ratio_low"] < other["impact_ratio"]
    assert other["impact_ratio_high"] > other["impact_ratio"]
    json.dumps([young, old], allow_nan=False)


def test_swap_sets_are_against_the_champion(examined: Examination) -> None:
    facts = evidence.swap_facts(examined)
    assert facts["champion"] == 3
    assert facts["why"] is None
    assert sum(cell["rows"] for cell in facts["cells"]) == 400
    assert facts["difference"]["low"] < facts["difference"]["high"]
    assert facts["profit"]["value"] > 0
    assert facts["profit_against_champion"]["value"] > 0
    json.dumps(facts, allow_nan=False)


def test_without_a_champion_there_is_profit_but_nothing_to_swap(
    examined: Examination,
) -> None:
    alone = Examination(
        examined.folder, examined.rows, examined.parameters, NO_CHAMPION
    )
    facts = evidence.swap_facts(alone)
    assert (facts["champion"], facts["cells"], facts["difference"]) == (None,) * 3
    assert facts["why"] == "there is no champion to compare with"
    assert facts["profit"] is not None


def test_the_same_policy_swaps_nobody(examined: Examination) -> None:
    found = examined.decisions
    scored = Scored(found.margin, found.pd_, found.score, found.outcome)
    same = Examination(
        examined.folder, examined.rows, examined.parameters, Champion(3, scored, None)
    )
    facts = evidence.swap_facts(same)
    assert facts["difference"] is None
    assert facts["profit_against_champion"]["value"] == 0


def test_what_cannot_be_measured_leaves_empty_tables(examined: Examination) -> None:
    (examined.folder / "policy.json").unlink()
    broken = Examination(
        examined.folder, examined.rows, examined.parameters, examined.champion
    )
    for lines in (
        evidence.band_lines(broken),
        evidence.cut_off_lines(broken, TARGETS),
        evidence.profit_lines(broken),
        evidence.fairness_lines(broken),
        evidence.monotonicity_lines(broken),
        evidence.stability_lines(broken),
    ):
        assert lines == []
    assert evidence.calibration_facts(broken) == {"why": "the artifact does not verify"}
    assert evidence.swap_facts(broken)["profit"] is None


def test_a_group_that_cannot_be_measured_has_its_line(examined: Examination) -> None:
    ages = np.where(np.arange(400) < 1, 50.0, 30.0)
    rows = replace(examined.rows, protected={"age_years": ages})
    one_old = Examination(examined.folder, rows, examined.parameters, examined.champion)
    _, old = evidence.fairness_lines(one_old)
    assert (old["rows"], old["score_difference"]) == (1, None)
    assert old["score_difference_low"] is old["score_difference_high"] is None


def test_every_column_of_the_evidence_is_documented(examined: Examination) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/gates.md").read_text()
    swaps = evidence.swap_facts(examined)
    lines = [
        evidence.band_lines(examined)[0],
        evidence.cut_off_lines(examined, TARGETS)[0],
        evidence.fairness_lines(examined)[0],
        evidence.monotonicity_lines(examined)[0],
        evidence.stability_lines(examined)[0],
        evidence.calibration_facts(examined),
        swaps,
        swaps["cells"][0],
    ]
    names = {re.sub("_(low|high)$", "", name) for line in lines for name in line}
    assert not [name for name in sorted(names) if f"`{name}`" not in page]
