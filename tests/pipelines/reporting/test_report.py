"""What a validation report measures and says."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.contract.model import Column, Contract
from credit_scoring.evaluation.fairness import Group
from credit_scoring.pipelines.reporting import create_pipeline
from credit_scoring.pipelines.reporting.content import Evidence
from credit_scoring.pipelines.reporting.measuring_nodes import (
    known_lines,
    measure_for_report,
    table,
)
from credit_scoring.pipelines.reporting.nodes import render, write_report
from credit_scoring.pipelines.reporting.parameters import Move, ReportingParameters
from credit_scoring.pipelines.reporting.stress import moved
from credit_scoring.registry.gate_parameters import Attribute

PNG = b"\x89PNG\r\n\x1a\n"


def column(**values: Any) -> Column:
    return Column.model_validate(
        {
            "source": "X",
            "type": "number",
            "role": "application",
            "description": "A number.",
            **values,
        }
    )


def test_values_move_and_stay_within_the_contract() -> None:
    values = np.array([10.0, 50.0, np.nan])
    by_half = Move(columns=("x",), factor=1.5)
    assert moved(values, by_half, column(maximum=60))[:2].tolist() == [15, 60]
    assert np.isnan(moved(values, by_half, column())[2])
    later = Move(columns=("x",), add=1, from_value=1)
    codes = np.array([-1.0, 0, 1, 2, 8])
    known = column(type="integer", categories=dict.fromkeys(range(-1, 9), "late"))
    assert moved(codes, later, known).tolist() == [-1, 0, 2, 3, 8]


@pytest.fixture
def tables(
    folder: Path,
    contract: Contract,
    applications: dict[str, np.ndarray],
    reporting: ReportingParameters,
) -> dict[str, pd.DataFrame]:
    rows = pd.DataFrame(applications)
    rows["bad"] = (rows["debt"] / rows["limit"] + rows["late"] > 2).astype("int8")
    ages = {"young": Group(below=30), "old": Group(at_least=30)}
    asked = {
        "age": Attribute(column="age_years", groups=ages),
        "absent": Attribute(column="colour", groups=ages),
    }
    promotion: Any = SimpleNamespace(
        gates=SimpleNamespace(fairness=SimpleNamespace(asked=asked))
    )
    return measure_for_report(
        folder,
        rows,
        pd.DataFrame({"age_years": np.arange(len(rows)) % 60}),
        pd.DataFrame({"feature": ["months_late", "debt_ratio"]}),
        contract,
        promotion,
        reporting,
    )


def test_segments_are_cut_by_the_columns_behind_the_strongest_features(
    tables: dict[str, pd.DataFrame],
) -> None:
    segments = tables["segment_table"]
    performance = segments[segments["use"] == "performance"]
    assert list(dict.fromkeys(performance["attribute"])) == ["late", "debt", "limit"]
    by_size = performance.groupby("attribute")["rows"].sum()
    assert by_size.tolist() == [400, 400, 400]


def test_protected_groups_are_marked_as_for_fairness_alone(
    tables: dict[str, pd.DataFrame],
) -> None:
    segments = tables["segment_table"].set_index("segment")
    assert segments.loc[["young", "old"], "use"].tolist() == ["fairness alone"] * 2
    assert "colour" not in set(segments["attribute"])


def test_intervals_are_compared_with_the_outcomes_of_every_row(
    tables: dict[str, pd.DataFrame],
) -> None:
    intervals = tables["interval_table"]
    assert intervals["rows"].tolist() == [100] * 4
    inside = intervals["bad_rate"].between(intervals["low"], intervals["high"])
    assert intervals["inside"].tolist() == inside.tolist()
    assert intervals["mean_pd"].is_monotonic_increasing


def test_stresses_change_decisions_and_unchanged_inputs_none(
    tables: dict[str, pd.DataFrame],
) -> None:
    lines = tables["stress_table"].set_index("name")
    assert list(lines.index) == ["unchanged", "debts", "late", "debt", "limit"]
    assert lines.loc["unchanged", "changed"] == 0
    assert lines.loc["debts", "mean_pd"] > lines.loc["unchanged", "mean_pd"]
    assert lines.loc["debts", "changed"] > 0
    shares = lines[["approve_rate", "refer_rate", "decline_rate"]].sum(axis=1)
    assert shares.to_numpy() == pytest.approx(np.ones(5))


def test_a_table_of_nothing_has_no_lines() -> None:
    lines = table([])
    assert list(lines.columns) == ["nothing_measured"]
    assert known_lines(lines, "vintage") == []


def test_what_is_missing_in_a_line_is_none() -> None:
    lines = known_lines(pd.DataFrame({"vintage": ["2010Q1"], "auc": [np.nan]}), "auc")
    assert lines == [{"vintage": "2010Q1", "auc": None}]


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_page_needs_no_other_file(evidence: Evidence) -> None:
    page = render(replace(evidence, plots={"roc": PNG}))
    assert "data:image/png;base64,iVBOR" in page
    assert set(re.findall(r'(?:src|href)="(.)', page)) <= {"#", "d"}
    assert "@import" not in page
    assert "url(" not in page


def test_a_part_without_data_says_so(evidence: Evidence) -> None:
    text = text_of(render(evidence))
    for said in (
        "No gate was asked.",
        "Fairness was not measured.",
        "Bands were not measured.",
        "No stress was tried.",
        "Stability was not measured.",
        "The contract has no date",
        "There was no champion to compare approvals with.",
        "Less discriminatory alternatives were not searched",
        "There is no picture of this: ROC curve",
    ):
        assert said in text, said


def test_the_first_page_says_what_is_missing(evidence: Evidence) -> None:
    text = text_of(render(evidence))
    assert "Linear model, version 4" in text
    assert "Sign-offs still missing: Compliance." in text
    assert "Not passed: none, of 0 gates." in text
    assert "in 70.0 of 100 cases (with 95 % certainty between 69.0 and 71.0)" in text


def test_what_people_wrote_is_shown_as_text(evidence: Evidence) -> None:
    page = render(evidence)
    assert "Says who pays &lt;back&gt;." in page
    assert "Nobody &amp; Co" in page
    assert "<back>" not in page


@pytest.mark.parametrize(
    ("in_files", "grown_on", "said"),
    [
        (400, 240, "400 rows, of which 20.0 % turned out bad. It was trained on 240"),
        (
            *(22_500, 9_000),
            "turned out bad. They are a sample of 22,500. Its trees were grown on 9,000"
            " rows, all else was found out on the sample. Bad means",
        ),
        # A scorecard is made of the sample alone.
        (22_500, None, "They are a sample of 22,500. It was trained on 240 of them."),
    ],
)
def test_the_first_page_says_what_rows_the_model_is_of(
    evidence: Evidence, in_files: int, grown_on: int | None, said: str
) -> None:
    found = replace(
        evidence,
        metrics={**evidence.metrics, "train": {"rows": {"value": 240}}},
        validation={**evidence.validation, "rows_in_files": in_files},
        facts={"chosen_parameters": {"training_rows": grown_on} if grown_on else {}},
    )
    assert said in text_of(render(found))


def test_a_gate_that_is_not_passed_is_on_the_first_page(evidence: Evidence) -> None:
    gates = [
        {
            "name": "auc",
            "figure": 0.7,
            "threshold": "0.6",
            "passed": True,
            "why": "yes",
        },
        {
            "name": "fairness_age",
            "figure": None,
            "threshold": "0.8",
            "passed": False,
            "why": "it was not measured",
        },
        {
            "name": "monotonicity",
            "figure": 1200.0,
            "threshold": "0 moves",
            "passed": True,
            "why": "w",
        },
    ]
    text = text_of(render(replace(evidence, judgement={"gates": gates})))
    assert "Not passed: fairness age, of 3 gates." in text
    assert "0.7000" in text
    # What is counted has no decimals.
    assert "1,200" in text
    assert "1200.0000" not in text
    assert "it was not measured" in text


def test_each_regulation_leads_to_a_chapter_or_to_none(evidence: Evidence) -> None:
    text = text_of(render(evidence))
    for named in ("SR 26-2", "Annex IV", "12 CFR 1002.9"):
        assert named in text
    assert "The service gives reasons to a system; it sends no letter." in text


def test_the_node_takes_tables_facts_and_pictures(
    evidence: Evidence,
    folder: Path,
    tables: dict[str, pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from credit_scoring.pipelines.reporting import nodes

    monkeypatch.setattr(nodes, "feature_set_of", lambda *_: evidence.features)
    point = {"impact_ratio_test": 0.7}
    tested = {"impact_ratio": 0.9, "auc_not_inferior": True}
    found = {
        "chosen": [point],
        "tested": [tested],
        "less_discriminatory": ["without X"],
    }
    page = write_report(
        folder,
        evidence.registration,
        evidence.judgement,
        evidence.metrics,
        evidence.validation,
        evidence.calibration,
        evidence.contract,
        "small_set",
        evidence.decision,
        evidence.reporting,
        **tables,
        band_table=table([]),
        plots_roc=PNG,
        swap_sets={"champion": None},
        alternatives={
            "champion": {"version": 2},
            "models": 9,
            "attributes": {"age": found},
        },
    )
    text = text_of(page)
    assert "Debts double." in text
    assert "without X" in text
    assert "9 alternatives were searched against champion version 2" in text
    assert "Bands were not measured." in text
    assert "of 4 groups of neighbouring margins" in text


def test_both_candidates_have_a_report() -> None:
    outputs = create_pipeline().all_outputs()
    for family in ("scorecard", "boosting"):
        assert f"{family}.validation_report" in outputs
