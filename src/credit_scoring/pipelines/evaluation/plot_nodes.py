"""Nodes of the evaluation pipeline that draw."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from credit_scoring.decision.model import Model
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.evaluation import plots
from credit_scoring.evaluation.calibration import ReliabilityBin
from credit_scoring.evaluation.feature_bins import (
    FeatureBin,
    quantile_edges,
    rates_by_bin,
)
from credit_scoring.evaluation.measures import Measure
from credit_scoring.pipelines.evaluation.nodes import Metrics, split_of
from credit_scoring.pipelines.evaluation.parameters import EvaluationParameters
from credit_scoring.pipelines.training.parameters import CandidateParameters
from credit_scoring.scorecard.model import Scorecard

Values = NDArray[np.float64]


def draw_roc(
    predictions: pd.DataFrame,
    metrics: Metrics,
    evaluation: EvaluationParameters,
    candidate: CandidateParameters,
) -> Figure:
    """Draw the ROC curve of the reported split."""
    rows = split_of(predictions, evaluation.reported_split)
    return plots.plot_roc(
        _column(rows, "margin"),
        _column(rows, "bad"),
        auc=_measure(metrics, evaluation, "auc"),
        title=_title("ROC curve", candidate, evaluation),
    )


def draw_ks(
    predictions: pd.DataFrame,
    metrics: Metrics,
    evaluation: EvaluationParameters,
    candidate: CandidateParameters,
) -> Figure:
    """Draw where the scores of goods and bads differ most."""
    rows = split_of(predictions, evaluation.reported_split)
    return plots.plot_ks(
        _column(rows, "score"),
        _column(rows, "bad"),
        ks=_measure(metrics, evaluation, "ks"),
        title=_title("Goods and bads up to each score", candidate, evaluation),
    )


def draw_reliability(
    predictions: pd.DataFrame,
    reliability_table: pd.DataFrame,
    metrics: Metrics,
    evaluation: EvaluationParameters,
    candidate: CandidateParameters,
) -> Figure:
    """Draw predicted against observed bad rates."""
    rows = split_of(predictions, evaluation.reported_split)
    names = ("calibration_slope", "calibration_intercept")
    return plots.plot_reliability(
        [
            ReliabilityBin(**{str(name): value for name, value in line.items()})
            for line in reliability_table.to_dict("records")
        ],
        _column(rows, "pd"),
        measures={name: _measure(metrics, evaluation, name) for name in names},
        title=_title("Predicted and observed defaults", candidate, evaluation),
    )


def draw_score_distribution(
    predictions: pd.DataFrame,
    decision: DecisionParameters,
    evaluation: EvaluationParameters,
    candidate: CandidateParameters,
) -> Figure:
    """Draw the scores of goods and bads with the policy's cut-offs."""
    rows = split_of(predictions, evaluation.reported_split)
    policy = decision.policy
    return plots.plot_score_distribution(
        _column(rows, "score"),
        _column(rows, "bad"),
        cut_offs={
            "decline below": policy.decline_below,
            "approve from": policy.approve_from,
        },
        title=_title("Scores by outcome", candidate, evaluation),
    )


def draw_importance(
    feature_importance: pd.DataFrame,
    evaluation: EvaluationParameters,
    candidate: CandidateParameters,
) -> Figure:
    """Draw which features move the score most."""
    points = feature_importance["mean_absolute_points"]
    return plots.plot_importance(
        dict(zip(feature_importance["feature"], points, strict=True)),
        shown=evaluation.features_in_importance,
        title=_title("What moves the score", candidate, evaluation),
    )


def draw_bins(  # noqa: PLR0913, PLR0917 - rows, predictions and what to draw of them
    model: Model,
    model_input: pd.DataFrame,
    predictions: pd.DataFrame,
    feature_importance: pd.DataFrame,
    evaluation: EvaluationParameters,
    candidate: CandidateParameters,
) -> Figure:
    """Draw observed and predicted risk along the strongest features.

    A scorecard's own bins are drawn with their weights of evidence; for another
    model each feature is cut into bins of equal frequency.
    """
    split = evaluation.reported_split
    rows, found = split_of(model_input, split), split_of(predictions, split)
    bad, pd_ = _column(found, "bad"), _column(found, "pd")
    shown: dict[str, list[FeatureBin]] = {}
    for name in feature_importance["feature"].head(evaluation.features_in_bins):
        values = _column(rows, name)
        edges, woes = _bins_of(model, name, values, evaluation)
        shown[name] = rates_by_bin(values, bad, pd_, edges=edges, woes=woes)
    own = isinstance(model, Scorecard)
    what = "Risk by bin, weight of evidence on top" if own else "Risk along features"
    return plots.plot_bins(shown, title=_title(what, candidate, evaluation))


def _bins_of(
    model: Model, name: str, values: Values, evaluation: EvaluationParameters
) -> tuple[Values, Values | None]:
    if isinstance(model, Scorecard):
        for term in model.table.terms:
            if term.feature == name:
                return term.edges, term.woes
    return quantile_edges(values, bins=evaluation.bins_of_a_feature), None


def _column(rows: pd.DataFrame, name: str) -> Values:
    values: Values = rows[name].to_numpy(np.float64)
    return values


def _measure(metrics: Metrics, evaluation: EvaluationParameters, name: str) -> Measure:
    found = metrics[evaluation.reported_split][name]
    value = found["value"]
    return Measure(
        float("nan") if value is None else value, found["low"], found["high"]
    )


def _title(
    what: str, candidate: CandidateParameters, evaluation: EvaluationParameters
) -> str:
    return f"{what}: {candidate.root.family}, {evaluation.reported_split} split"
