import json
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.pipelines.promotion.judging_nodes import (
    draw_bands,
    draw_fairness,
    draw_profit,
    judge_candidate,
)
from credit_scoring.pipelines.promotion.nodes import (
    build_artifact,
    register_candidate,
    select_applications,
)
from credit_scoring.pipelines.promotion.parameters import PromotionParameters
from credit_scoring.registry.artifact_writing import write_artifact


@pytest.fixture
def artifact(inputs: dict[str, Any], tmp_path: Path) -> Path:
    chosen = select_applications(
        inputs["validated_applications"], inputs["splits"], inputs["params:contract"]
    )
    contents = build_artifact(
        inputs["boosting.model"],
        inputs["boosting.calibration"],
        inputs["boosting.metrics"],
        inputs["boosting.background"],
        chosen["training"],
        inputs["validation_summary"],
        inputs["params:contract"],
        inputs["params:feature_engineering"],
        inputs["params:decision"],
        inputs["boosting.uncertainty"],
    )
    write_artifact(tmp_path / "artifact", contents)
    return tmp_path / "artifact"


@pytest.mark.usefixtures("mlflow_store")
def test_an_artifact_that_does_not_verify_is_not_registered_and_passes_no_gate(
    artifact: Path,
    inputs: dict[str, Any],
    promotion: PromotionParameters,
    contract: Contract,
) -> None:
    (artifact / "scaling.json").write_text("{}")
    registration = register_candidate(artifact, {}, {}, promotion)
    assert list(registration) == ["fault"]
    assert "altered (SHA-256 differs): scaling.json" in registration["fault"]
    chosen = select_applications(
        inputs["validated_applications"], inputs["splits"], contract
    )
    found = judge_candidate(
        artifact,
        registration,
        chosen["test"],
        chosen["protected"],
        contract,
        promotion,
    )
    judged = found["judgement"]
    assert (judged["version"], judged["family"]) == (None, "unknown")
    assert not any(gate["passed"] for gate in judged["gates"])
    # Tables without a line can be written, read and drawn.
    tables = {n: t for n, t in found.items() if isinstance(t, pd.DataFrame)}
    assert len(tables) == 6
    read = {
        name: pd.read_csv(StringIO(table.to_csv(index=False)))
        for name, table in tables.items()
    }
    for figure in (
        draw_profit(read["profit_curve"], read["cut_off_table"]),
        draw_bands(read["band_table"]),
        draw_fairness(read["fairness_table"], promotion),
    ):
        assert figure.axes[0].texts[0].get_text() == "nothing was measured"


@pytest.mark.usefixtures("mlflow_store")
def test_the_evidence_of_a_judgement_can_be_written_read_and_drawn(
    artifact: Path,
    inputs: dict[str, Any],
    promotion: PromotionParameters,
    contract: Contract,
) -> None:
    chosen = select_applications(
        inputs["validated_applications"], inputs["splits"], contract
    )
    found = judge_candidate(
        artifact, {}, chosen["test"], chosen["protected"], contract, promotion
    )
    json.dumps([found["swap_sets"], found["calibration_tests"]], allow_nan=False)
    assert found["cut_off_table"]["rule"].tolist() == [
        "policy",
        "profit",
        "approval_rate",
        "bad_rate",
    ]
    read = {
        name: pd.read_csv(StringIO(table.to_csv(index=False)))
        for name, table in found.items()
        if isinstance(table, pd.DataFrame)
    }
    profit = draw_profit(read["profit_curve"], read["cut_off_table"])
    marks = " ".join(text.get_text() for text in profit.axes[0].texts)
    assert "policy" in marks
    assert "best by PD" in marks
    bands = draw_bands(read["band_table"])
    assert [t.get_text() for t in bands.axes[0].get_xticklabels()] == ["A", "B", "C"]
    groups = draw_fairness(read["fairness_table"], promotion)
    assert len(groups.axes[0].get_yticklabels()) == 1


@pytest.mark.usefixtures("mlflow_store")
def test_a_protected_column_that_is_not_there_closes_the_gates_of_fairness(
    artifact: Path,
    inputs: dict[str, Any],
    promotion: PromotionParameters,
    contract: Contract,
) -> None:
    chosen = select_applications(
        inputs["validated_applications"], inputs["splits"], contract
    )
    for protected in (
        chosen["protected"].drop(columns="age_years"),
        chosen["protected"].assign(age_years="unknown"),
    ):
        judged = judge_candidate(
            artifact, {}, chosen["test"], protected, contract, promotion
        )["judgement"]
        closed = [
            gate["name"].startswith("fairness")
            for gate in judged["gates"]
            if not gate["passed"]
        ]
        assert closed
        assert all(closed)
