"""Nodes of the alternatives pipeline."""

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from credit_scoring.boosting.parameters import BoostingParameters, Hyperparameters
from credit_scoring.contract.model import Contract
from credit_scoring.decision.feature_sets import feature_set_of
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.alternatives import proxy_strengths
from credit_scoring.features.definition import FeatureSet
from credit_scoring.pipelines.alternatives.candidates import list_alternatives
from credit_scoring.pipelines.alternatives.frontier_plot import plot_frontiers
from credit_scoring.pipelines.alternatives.measuring import Yardstick, tabulate
from credit_scoring.pipelines.alternatives.parameters import AlternativesParameters
from credit_scoring.pipelines.alternatives.pool import (
    promoted_model,
    ruled_out,
    yardstick_of,
)
from credit_scoring.pipelines.alternatives.search import (
    Applicants,
    Fitting,
    Scored,
    fit_all,
)
from credit_scoring.pipelines.alternatives.summary import (
    Search,
    strongest_proxies,
    summarise,
)
from credit_scoring.pipelines.promotion.parameters import PromotionParameters
from credit_scoring.pipelines.training.parameters import CandidateParameters
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.mlflow_reports import log_report

Json = dict[str, Any]


class SearchedOutputs(TypedDict):
    """What the search gives, by output of the node."""

    table: pd.DataFrame
    summary: Json


# Kedro hands over each dataset and each group of parameters by itself.
def search_alternatives(  # noqa: PLR0913, PLR0917
    model_input: pd.DataFrame,
    validated_applications: pd.DataFrame,
    scorecard_predictions: pd.DataFrame,
    boosting_predictions: pd.DataFrame,
    chosen_parameters: Mapping[str, float],
    uncertainty: Mapping[str, Any],
    promotion_record: Mapping[str, Any],
    contract: Contract,
    feature_set: str,
    boosting: CandidateParameters,
    decision: DecisionParameters,
    promotion: PromotionParameters,
    alternatives: AlternativesParameters,
) -> SearchedOutputs:
    """Look for models and cut-offs that differ less between groups.

    Args:
        model_input: Features, split and outcome of each application.
        validated_applications: Contract columns, the protected ones for measuring.
        scorecard_predictions: Of the scorecard candidate.
        boosting_predictions: Of the boosting candidate.
        chosen_parameters: Hyper-parameters of the boosting candidate.
        uncertainty: Its training range, for the policy's rules.
        promotion_record: Says which family is champion.
        contract: The columns of an application.
        feature_set: Names the features that alternatives choose from.
        boosting: Limits of a fit.
        decision: Points scale and policy.
        promotion: Groups, costs, and the loss of AUC that counts as none.
        alternatives: How far the search goes.

    Returns:
        The table of all models and cut-offs, and a summary with the frontiers.
    """
    features = feature_set_of(feature_set, contract)
    rows = _joined(model_input, validated_applications, contract)
    applicants = _applicants(rows, features)
    champion = promotion_record.get("champion") or {}
    by_family = {"scorecard": scorecard_predictions, "boosting": boosting_predictions}
    promoted = promoted_model(by_family[champion["family"]], rows, contract)
    yardstick = yardstick_of(
        rows,
        applicants,
        gates=promotion.gates,
        approve_from=decision.policy.approve_from,
        refused=ruled_out(
            rows,
            applicants.x,
            contract=contract,
            features=features,
            decision=decision,
            uncertainty=uncertainty,
        ),
    )
    proxies = _proxies(applicants, promoted, yardstick, bins=alternatives.score_bins)
    asked = list_alternatives(features, proxies, alternatives)
    fitted = fit_all(
        asked,
        applicants,
        _fitting(features, chosen_parameters, boosting, decision, alternatives),
        time_limit_s=alternatives.time_limit_s,
    )
    search = _search([promoted, *fitted], yardstick, promotion.gates, alternatives)
    summary = _summary(search, features, proxies, promotion.gates)
    counts = {"models": len(fitted), "models_asked_for": len(asked)}
    return {"table": search.table, "summary": {"champion": champion} | counts | summary}


def _applicants(rows: pd.DataFrame, features: FeatureSet) -> Applicants:
    return Applicants(
        np.ascontiguousarray(rows[list(features.names)].to_numpy(np.float64)),
        rows["bad"].to_numpy(np.float64),
        rows["split"].to_numpy(str),
    )


def _proxies(
    applicants: Applicants, promoted: Scored, yardstick: Yardstick, *, bins: int
) -> dict[str, NDArray[np.float64]]:
    """How well each feature tells the groups of each attribute, in training."""
    train = applicants.split == "train"
    return {
        attribute: proxy_strengths(
            applicants.x[train],
            {name: belongs[train] for name, belongs in members.items()},
            promoted.score[train],
            bins=bins,
        )
        for attribute, members in yardstick.members.items()
    }


def _search(
    models: list[Scored],
    yardstick: Yardstick,
    gates: GateParameters,
    alternatives: AlternativesParameters,
) -> Search:
    """Measure all models at all cut-offs."""
    return Search(
        tabulate(models, yardstick, alternatives.cut_off_shifts),
        models,
        yardstick,
        gates.against_champion,
        alternatives.bootstrap,
    )


def _summary(
    search: Search,
    features: FeatureSet,
    proxies: Mapping[str, NDArray[np.float64]],
    gates: GateParameters,
) -> Json:
    used = search.yardstick.rows.items()
    return {
        "rows": {name: int(rows.sum()) for name, rows in used},
        "auc_margin": gates.against_champion.margin,
        "not_compared": sorted(
            set(gates.fairness.asked) - set(search.yardstick.members)
        ),
        "impact_ratio_asked_for": gates.fairness.impact_ratio,
        "attributes": {
            attribute: {
                **summarise(search, attribute),
                "strongest_proxies": strongest_proxies(features, strength),
            }
            for attribute, strength in proxies.items()
        },
    }


def _joined(
    model_input: pd.DataFrame, applications: pd.DataFrame, contract: Contract
) -> pd.DataFrame:
    """Features, split, outcome and contract columns of each applicant."""
    names = [n for n in applications.columns if n not in model_input.columns]
    return model_input.merge(
        applications[[contract.id_name, *names]],
        on=contract.id_name,
        validate="one_to_one",
    )


def _fitting(
    features: FeatureSet,
    chosen: Mapping[str, float],
    candidate: CandidateParameters,
    decision: DecisionParameters,
    alternatives: AlternativesParameters,
) -> Fitting:
    limits = candidate.root
    if not isinstance(limits, BoostingParameters):
        raise EvaluationError(
            f"alternatives are boosted trees; params:boosting is of {limits.family}"
        )
    point = {name: chosen[name] for name in Hyperparameters.model_fields}
    return Fitting(
        features,
        Hyperparameters.model_validate(point),
        limits,
        decision.scaling,
        alternatives.seed,
    )


def draw_frontiers(
    alternatives_table: pd.DataFrame, alternatives_summary: Json
) -> Figure:
    """Draw AUC and profit against the impact ratio of each attribute."""
    return plot_frontiers(
        alternatives_table,
        list(alternatives_summary["attributes"]),
        asked_for=alternatives_summary["impact_ratio_asked_for"],
    )


def log_alternatives(
    alternatives_table: pd.DataFrame, alternatives_summary: Json, plot: bytes
) -> None:
    """Log the search as a run of its own below the current one."""
    figures = {
        f"{attribute}_{name}": value
        for attribute, found in alternatives_summary["attributes"].items()
        for name, value in (
            ("impact_ratio", found["chosen"][0]["impact_ratio_test"]),
            ("less_discriminatory", float(len(found["less_discriminatory"]))),
        )
        if value is not None
    }
    log_report(
        "alternatives",
        figures | {"models": float(alternatives_summary["models"])},
        files={
            "alternatives.csv": alternatives_table.to_csv(index=False).encode(),
            "frontier.png": plot,
        },
        facts={"alternatives.json": alternatives_summary},
    )
