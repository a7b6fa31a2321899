from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from credit_scoring.errors import ArtifactError, PromotionError
from credit_scoring.evaluation.delong import compare_aucs
from credit_scoring.evaluation.shift import judge_shift
from credit_scoring.registry.artifact_writing import ArtifactContents
from credit_scoring.registry.champion import NO_CHAMPION, Champion
from credit_scoring.registry.examination import Examination, TestRows
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.scoring import Scored


@pytest.fixture
def examined(
    folder: Path, rows: TestRows, gate_parameters: GateParameters
) -> Examination:
    return Examination(folder, rows, gate_parameters, NO_CHAMPION)


def test_the_interval_of_the_auc_is_delongs(examined: Examination) -> None:
    margin, bad = examined.decisions.margin, examined.rows.bad
    beside = compare_aucs(margin, margin[::-1].copy(), bad)
    found = examined.auc
    assert found.value == beside.auc
    half = 1.959964 * beside.auc_error
    assert found.low == pytest.approx(beside.auc - half)
    assert found.high == pytest.approx(beside.auc + half)


def test_shifts_are_those_of_counts_by_the_references_bins(
    examined: Examination, contents: ArtifactContents
) -> None:
    """Bins of the reference hold their lower edge; the training rows are the same."""
    assert examined.score_shift.psi == 0
    assert {shift.psi for shift in examined.feature_shifts.values()} == {0}
    described = contents.reference["features"]["months_late"]
    late = np.r_[np.full(100, 4.0), np.full(40, np.nan)]
    edges = described["edges"]
    before = np.rint(400 * np.array([*described["shares"], 0])).astype(int)
    after = np.zeros_like(before)
    after[np.searchsorted(edges, 4.0, side="right")] = 100
    after[-1] = 40
    assert examined._shift(described, late, 0.9) == judge_shift(
        before, after, level=0.9
    )


def test_the_level_holds_for_all_features_together(examined: Examination) -> None:
    reference = examined.artifact.reference["features"]["debt_ratio"]
    alone = examined._shift(reference, examined.decisions.features[:, 0] + 0.1, 0.975)
    rows = {**examined.rows.columns}
    rows["debt"] = rows["debt"] + 0.1 * rows["limit"]
    moved = Examination(
        examined.folder,
        TestRows(rows, examined.rows.bad),
        examined.parameters,
        NO_CHAMPION,
    )
    assert moved.feature_shifts["debt_ratio"].high == pytest.approx(alone.high)


def test_who_scores_and_decides_alike_is_told_from_who_does_not(
    examined: Examination, folder: Path, rows: TestRows, gate_parameters: GateParameters
) -> None:
    ours = examined.decisions
    same = Scored(ours.margin, ours.pd_, ours.score.copy(), ours.outcome.copy())
    for beside, expected in (
        (same, True),
        (replace(same, score=same.score + 1e-9), False),
        (replace(same, outcome=2 - same.outcome), False),
    ):
        champion = Champion(1, beside, None)
        found = Examination(folder, rows, gate_parameters, champion)
        assert found.decides_as_champion is expected
    with pytest.raises(PromotionError, match="no champion to compare"):
        assert examined.decides_as_champion


def test_latency_is_the_median_after_the_first(
    folder: Path, rows: TestRows, gate_parameters: GateParameters
) -> None:
    ticks = iter([0, 100, 100, 101, 101, 109, 109, 111])
    examined = Examination(
        folder, rows, gate_parameters, NO_CHAMPION, clock=lambda: next(ticks)
    )
    assert examined.latency_ms == 2000


def test_exposure_is_a_column_or_one_each(
    examined: Examination, gate_parameters: GateParameters
) -> None:
    assert examined.exposure is examined.rows.columns["limit"]
    costs = gate_parameters.profit.costs.model_copy(update={"exposure": None})
    profit = gate_parameters.profit.model_copy(update={"costs": costs})
    parameters = gate_parameters.model_copy(update={"profit": profit})
    alike = Examination(examined.folder, examined.rows, parameters, NO_CHAMPION)
    assert alike.exposure.tolist() == [1.0] * 400
    bad = examined.rows.bad[alike.approved]
    assert alike.profit.value == pytest.approx(
        (0.2 * (bad == 0).sum() - 0.5 * bad.sum()) / 400
    )


def test_an_artifact_that_does_not_verify_has_no_figures(
    folder: Path, rows: TestRows, gate_parameters: GateParameters
) -> None:
    (folder / "scaling.json").write_text("{}")
    examined = Examination(folder, rows, gate_parameters, NO_CHAMPION)
    assert "scaling.json" in (examined.fault or "")
    for name in ("auc", "calibration", "monotonicity", "bands", "latency_ms"):
        with pytest.raises(ArtifactError, match="the artifact does not verify"):
            getattr(examined, name)
