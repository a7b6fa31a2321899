"""Judging a candidate: its figures on the test rows, and the gates' verdicts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import ArtifactError, CreditScoringError, PromotionError
from credit_scoring.evaluation.discrimination import roc_auc
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.gates import (
    Gate,
    GateParameters,
    artifact_gate,
    bounds_gate,
    champion_gate,
    minimum_gate,
    reasons_gate,
)
from credit_scoring.registry.mlflow_registry import MlflowRegistry
from credit_scoring.registry.scoring import margins

Values = NDArray[np.float64]
_CALIBRATION = ("calibration_slope", "calibration_intercept")


@dataclass(frozen=True)
class TestRows:
    """Applications that no candidate has seen, with what became of them.

    Attributes:
        columns: Contract columns, each of shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
    """

    __test__ = False

    columns: Mapping[str, Values]
    bad: Values


@dataclass(frozen=True)
class ChampionFigure:
    """The champion's AUC on the test rows.

    Attributes:
        version: Its version; None if there is no champion.
        auc: None if there is none, or if it could not be scored.
        fault: Why it could not be scored.
    """

    version: int | None
    auc: float | None
    fault: str | None


def champion_figure(
    registry: MlflowRegistry, alias: str, rows: TestRows
) -> ChampionFigure:
    """Load the champion from the registry, and score it now on the test rows."""
    holder = registry.holder(alias)
    if holder is None:
        return ChampionFigure(None, None, None)
    try:
        with registry.model_folder(holder.version) as folder:
            found = margins(folder, rows.columns)
        return ChampionFigure(holder.version, roc_auc(found, rows.bad), None)
    except CreditScoringError as error:
        return ChampionFigure(holder.version, None, str(error))


def judge(
    folder: Path, rows: TestRows, parameters: GateParameters, champion: ChampionFigure
) -> tuple[float | None, tuple[Gate, ...]]:
    """Ask every gate about a candidate.

    Args:
        folder: The candidate's artifact.
        rows: Applications to measure it on.
        parameters: What it must reach.
        champion: What it is compared with.

    Returns:
        Its AUC on the rows, None if it cannot be loaded; and the verdicts.
    """
    auc, fault = _auc(folder, rows)
    measured = _read(folder / "metrics.json").get("test", {})
    bounds = (parameters.calibration_slope, parameters.calibration_intercept)
    described = _read(folder / "features.json")
    codes = {f["name"]: f["reason"] for f in described.get("features", [])}
    return auc, (
        minimum_gate(auc, parameters),
        *_against_champion(auc, parameters, champion),
        *(
            bounds_gate(name, measured.get(name, {}).get("value"), bound)
            for name, bound in zip(_CALIBRATION, bounds, strict=True)
        ),
        reasons_gate(codes, described.get("reasons", {})),
        artifact_gate(fault),
    )


def _against_champion(
    auc: float | None, parameters: GateParameters, champion: ChampionFigure
) -> tuple[Gate, ...]:
    """Compare with the champion; no gate if there is none."""
    if champion.version is None:
        return ()
    gate = champion_gate(auc, parameters, champion_auc=champion.auc)
    if champion.fault is not None:
        gate = gate.model_copy(update={"why": f"{gate.why}: {champion.fault}"})
    return (gate,)


def _auc(folder: Path, rows: TestRows) -> tuple[float | None, str | None]:
    try:
        artifact = load_artifact(folder)
    except ArtifactError as error:
        return None, str(error)
    decisions = artifact.engine.decide_unexplained(rows.columns)
    try:
        return roc_auc(decisions.margin, rows.bad), None
    except CreditScoringError as error:
        raise PromotionError(f"the test rows cannot be judged on: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    """Read a JSON object of the artifact; empty if it is not there or is broken.

    What is missing then fails its gate, and `artifact_gate` says why.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
