"""Nodes of the promotion pipeline that judge a candidate and show the evidence."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from credit_scoring.contract.model import Contract, Role
from credit_scoring.errors import CreditScoringError
from credit_scoring.evaluation import policy_plots
from credit_scoring.pipelines.promotion.nodes import columns_of
from credit_scoring.pipelines.promotion.parameters import PromotionParameters
from credit_scoring.registry import evidence
from credit_scoring.registry.champion import champion_on
from credit_scoring.registry.examination import Examination, TestRows
from credit_scoring.registry.judging import judge
from credit_scoring.registry.mlflow_registry import MlflowRegistry
from credit_scoring.registry.roles import JudgedCandidate
from credit_scoring.registry.versions import CHAMPION

logger = logging.getLogger(__name__)


def judge_candidate(  # noqa: PLR0913, PLR0917 - Kedro hands over each by itself
    artifact: Path,
    registration: Mapping[str, Any],
    test_applications: pd.DataFrame,
    test_protected: pd.DataFrame,
    contract: Contract,
    promotion: PromotionParameters,
) -> dict[str, Any]:
    """Ask every gate about a candidate, beside the champion of the registry.

    Args:
        artifact: The artifact's folder.
        registration: What registering it gave.
        test_applications: Rows that no candidate has seen.
        test_protected: Their protected columns, in the same order.
        contract: Says which columns a decision may use.
        promotion: What it must reach.

    Returns:
        ``judgement``, a `JudgedCandidate` as JSON; and the evidence, a table
        or a JSON value each.
    """
    columns = columns_of(test_applications, contract.input_names)
    rows = TestRows(
        columns=columns,
        bad=test_applications["bad"].to_numpy(np.float64),
        protected=_protected(test_protected, contract),
    )
    registry = MlflowRegistry(promotion.registered_model)
    champion = champion_on(registry, CHAMPION, columns)
    examination = Examination(artifact, rows, promotion.gates, champion)
    auc, gates = judge(examination)
    judged = JudgedCandidate(
        family=registration.get("family", "unknown"),
        version=registration.get("version"),
        run_id=registration.get("run_id"),
        digest=registration.get("digest"),
        new=bool(registration.get("new")),
        against=champion.version,
        alike=_alike(examination),
        auc=auc,
        gates=gates,
    )
    for gate in gates:
        if not gate.passed:
            logger.info(
                "%s: gate %s not passed: %s", judged.family, gate.name, gate.why
            )
    return {
        "judgement": judged.model_dump(mode="json"),
        **_evidence(examination, promotion),
    }


def _alike(found: Examination) -> bool:
    if found.champion.version is None:
        return False
    try:
        return found.decides_as_champion
    except CreditScoringError:
        return False  # a gate says what is wrong


def _protected(
    test_protected: pd.DataFrame, contract: Contract
) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    # What is no number becomes missing, belongs to no group, and fails its gate.
    return {
        name: pd.to_numeric(test_protected[name], errors="coerce").to_numpy(np.float64)
        for name in contract.names(Role.PROTECTED)
        if name in test_protected
    }


def _evidence(found: Examination, promotion: PromotionParameters) -> dict[str, Any]:
    return {
        "band_table": _table(evidence.band_lines(found)),
        "cut_off_table": _table(
            evidence.cut_off_lines(found, promotion.cut_off_targets)
        ),
        "profit_curve": _table(evidence.profit_lines(found)),
        "fairness_table": _table(evidence.fairness_lines(found)),
        "monotonicity_table": _table(evidence.monotonicity_lines(found)),
        "stability_table": _table(evidence.stability_lines(found)),
        "calibration_tests": evidence.calibration_facts(found),
        "swap_sets": evidence.swap_facts(found),
    }


def _table(lines: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    # A file without any column could not be read again.
    return pd.DataFrame(lines) if lines else pd.DataFrame(columns=["nothing_measured"])


def draw_profit(profit_curve: pd.DataFrame, cut_off_table: pd.DataFrame) -> Figure:
    """Draw what approving from each score on earns, with the cut-offs."""
    names = {"policy": "policy", "profit": "best by PD"}
    marks = [
        (names[line["rule"]], float(line["score"]))
        for line in _lines(cut_off_table, "rule")
        if line["rule"] in names and not pd.isna(line["score"])
    ]
    return policy_plots.plot_profit(_lines(profit_curve, "score"), marks=marks)


def draw_bands(band_table: pd.DataFrame) -> Figure:
    """Draw how many applicants are in each band, and how many of them are bad."""
    return policy_plots.plot_bands(_lines(band_table, "band"))


def draw_fairness(
    fairness_table: pd.DataFrame, promotion: PromotionParameters
) -> Figure:
    """Draw each group's approvals beside the group it is compared with."""
    return policy_plots.plot_impact_ratios(
        _lines(fairness_table, "attribute"),
        least=promotion.gates.fairness.impact_ratio,
    )


def _lines(table: pd.DataFrame, needed: str) -> list[dict[str, Any]]:
    """Lines of a table; none of one that nothing was measured for."""
    if needed not in table:
        return []
    return [{str(k): v for k, v in line.items()} for line in table.to_dict("records")]
