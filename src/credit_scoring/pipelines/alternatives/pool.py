"""The pool: every applicant, what they are measured by, and the promoted model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.contract.model import Contract
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.decisions import MOST_REASONS, Outcome
from credit_scoring.decision.grading import Grading, grade_rows, tabulate_rules
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.decision.uncertainty import Uncertainty
from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.profit import worths
from credit_scoring.features.definition import FeatureSet
from credit_scoring.pipelines.alternatives.candidates import Alternative
from credit_scoring.pipelines.alternatives.measuring import (
    CHOSEN,
    SELECTION,
    TEST,
    Yardstick,
)
from credit_scoring.pipelines.alternatives.search import Applicants, Scored
from credit_scoring.registry.gate_parameters import FairnessGates, GateParameters

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

_SELECTED_ON = ("validation", "calibration")


def promoted_model(
    predictions: pd.DataFrame, rows: pd.DataFrame, contract: Contract
) -> Scored:
    """Give the promoted candidate's margins and scores in the order of the rows.

    Raises:
        EvaluationError: If an application has no prediction.
    """
    placed = rows[[contract.id_name]].merge(
        predictions[[contract.id_name, "margin", "score"]],
        on=contract.id_name,
        how="left",
        validate="one_to_one",
    )
    if placed["margin"].isna().any():
        raise EvaluationError(
            f"{int(placed['margin'].isna().sum())} of {len(rows)} applications have no "
            "prediction; run evaluation again"
        )
    margin, score = (placed[n].to_numpy(np.float64) for n in ("margin", "score"))
    return Scored(Alternative("as promoted", CHOSEN), margin, np.rint(score * 10) / 10)


def ruled_out(  # noqa: PLR0913 - what the policy's rules look at
    rows: pd.DataFrame,
    x: Values,
    *,
    contract: Contract,
    features: FeatureSet,
    decision: DecisionParameters,
    uncertainty: Mapping[str, Any],
) -> Flags:
    """Say whom the policy's rules keep from approval, whatever the score."""
    policy = decision.policy
    grading = Grading(Calibration(slope=1, intercept=0), decision.scaling, policy)
    columns = np.ascontiguousarray(
        rows[list(contract.input_names)].to_numpy(np.float64)
    )
    n = len(rows)
    band, outcome = np.empty(n, np.int64), np.empty(n, np.int64)
    grade_rows(
        np.full(n, np.inf),
        grading.limits,
        grading.cut_offs,
        columns,
        x,
        *tabulate_rules(
            policy,
            columns=contract.input_names,
            features=features.names,
            ranges=Uncertainty.model_validate(dict(uncertainty)).ranges_of(
                features.names
            ),
        ),
        False,
        band,
        outcome,
        np.empty((n, MOST_REASONS + 1), np.int64),
    )
    refused: Flags = outcome != int(Outcome.APPROVE)
    return refused


def yardstick_of(
    rows: pd.DataFrame,
    applicants: Applicants,
    *,
    gates: GateParameters,
    approve_from: float,
    refused: Flags,
) -> Yardstick:
    """Say what alternatives are measured with.

    Args:
        rows: Contract columns, the protected ones among them.
        applicants: The same rows.
        gates: Groups and costs.
        approve_from: The policy's cut-off.
        refused: Whom a rule keeps from approval, shape (n,).

    Raises:
        EvaluationError: If no attribute has two groups that are large enough.
    """
    name = gates.profit.costs.exposure
    exposure = np.ones(len(rows)) if name is None else rows[name].to_numpy(np.float64)
    used = {
        SELECTION: np.isin(applicants.split, _SELECTED_ON),
        TEST: applicants.split == "test",
    }
    return Yardstick(
        bad=applicants.bad,
        worth=worths(applicants.bad, exposure, gates.profit.costs),
        exposure=exposure,
        ruled_out=refused,
        members=_members(rows, used, gates.fairness),
        rows=used,
        approve_from=approve_from,
    )


def _members(
    rows: pd.DataFrame, used: Mapping[str, Flags], fairness: FairnessGates
) -> dict[str, dict[str, Flags]]:
    """Attribute -> group -> who belongs to it, of groups that can be measured."""
    members = {}
    for attribute, asked in fairness.asked.items():
        if asked.column not in rows:
            continue
        column = pd.to_numeric(rows[asked.column], errors="coerce").to_numpy(np.float64)
        groups = {name: group.members(column) for name, group in asked.groups.items()}
        large = {
            name: belongs
            for name, belongs in groups.items()
            if min((belongs & u).sum() for u in used.values()) >= fairness.small_rows
        }
        if len(large) > 1:
            members[attribute] = large
    if not members:
        raise EvaluationError(
            "no protected attribute has two groups of "
            f"{fairness.small_rows} rows: there is nothing to compare"
        )
    return members
