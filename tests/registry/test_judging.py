import json
from pathlib import Path

import numpy as np
import pytest

from credit_scoring.errors import PromotionError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.gates import Bounds, Gate, GateParameters
from credit_scoring.registry.judging import (
    ChampionFigure,
    TestRows,
    champion_figure,
    judge,
)
from credit_scoring.registry.mlflow_registry import CandidateLog, MlflowRegistry

PARAMETERS = GateParameters(
    minimum_auc=0.7,
    auc_margin=0.01,
    calibration_slope=Bounds(low=0.9, high=1.1),
    calibration_intercept=Bounds(low=-0.2, high=0.2),
)
NOBODY = ChampionFigure(None, None, None)


@pytest.fixture
def rows(applications: dict[str, np.ndarray]) -> TestRows:
    risk = 1.5 * applications["debt"] / applications["limit"]
    risk = risk + 0.9 * applications["late"]
    return TestRows(applications, (risk > np.median(risk)).astype(np.float64))


def by_name(gates: tuple[Gate, ...]) -> dict[str, Gate]:
    return {gate.name: gate for gate in gates}


def test_every_gate_is_asked(folder: Path, rows: TestRows) -> None:
    auc, gates = judge(folder, rows, PARAMETERS, NOBODY)
    assert auc == 1.0
    found = by_name(gates)
    assert list(found) == [
        "minimum_auc",
        "calibration_slope",
        "calibration_intercept",
        "reason_texts",
        "artifact_verified",
    ]
    assert found["minimum_auc"].passed
    assert found["reason_texts"].passed
    assert found["artifact_verified"].passed
    assert found["calibration_slope"].why == "it was not measured"


def test_a_candidate_is_compared_with_the_champion_on_the_same_rows(
    folder: Path, rows: TestRows
) -> None:
    _, gates = judge(folder, rows, PARAMETERS, ChampionFigure(3, 0.8, None))
    assert "the champion's 0.8000" in by_name(gates)["auc_against_champion"].threshold


def test_a_champion_that_cannot_be_scored_fails_the_gate_and_says_why(
    folder: Path, rows: TestRows
) -> None:
    _, gates = judge(folder, rows, PARAMETERS, ChampionFigure(3, None, "files gone"))
    gate = by_name(gates)["auc_against_champion"]
    assert not gate.passed
    assert gate.why.endswith("could not be scored on these rows: files gone")


def test_an_altered_artifact_fails_every_gate_that_needs_it(
    folder: Path, rows: TestRows
) -> None:
    (folder / "metrics.json").write_text("{")
    (folder / "features.json").unlink()
    auc, gates = judge(folder, rows, PARAMETERS, NOBODY)
    assert auc is None
    assert not any(gate.passed for gate in gates)
    assert "missing: features.json" in by_name(gates)["artifact_verified"].why


def test_figures_that_are_no_object_are_missing(folder: Path, rows: TestRows) -> None:
    (folder / "metrics.json").write_text(json.dumps([1]))
    _, gates = judge(folder, rows, PARAMETERS, NOBODY)
    assert by_name(gates)["calibration_slope"].figure is None


def test_test_rows_of_one_outcome_stop_the_run(folder: Path, rows: TestRows) -> None:
    one_outcome = TestRows(rows.columns, np.zeros(400))
    with pytest.raises(PromotionError, match="test rows cannot be judged on"):
        judge(folder, one_outcome, PARAMETERS, NOBODY)


@pytest.mark.usefixtures("mlflow_store")
def test_the_champion_is_loaded_from_the_registry_and_scored_now(
    folder: Path, rows: TestRows
) -> None:
    registry = MlflowRegistry()
    assert champion_figure(registry, "champion", rows) == NOBODY
    log = CandidateLog({}, {}, "data.csv", {})
    version = registry.log_candidate(load_artifact(folder), log)
    registry.set_alias("champion", version.version)
    found = champion_figure(registry, "champion", rows)
    assert found == ChampionFigure(version.version, 1.0, None)


def test_a_champion_whose_files_are_gone_has_no_figure(
    folder: Path, rows: TestRows, mlflow_store: Path
) -> None:
    registry = MlflowRegistry()
    log = CandidateLog({}, {}, "data.csv", {})
    version = registry.log_candidate(load_artifact(folder), log)
    registry.set_alias("champion", version.version)
    (mlflow_store / "mlruns").rename(mlflow_store / "moved")
    found = champion_figure(registry, "champion", rows)
    assert (found.version, found.auc) == (1, None)
    assert "are not where the registry says" in (found.fault or "")
