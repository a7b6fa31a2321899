"""Nodes of the evaluation pipeline: predict, measure, tabulate, compare."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.logistic import expit
from credit_scoring.decision.model import Model
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import reliability_table
from credit_scoring.evaluation.measures import measure_split, measure_stability
from credit_scoring.pipelines.evaluation.parameters import EvaluationParameters
from credit_scoring.scorecard.model import Scorecard
from credit_scoring.scorecard.points import points_table
from credit_scoring.scorecard.scaling import score_from_log_odds

Values = NDArray[np.float64]
Metrics = dict[str, dict[str, dict[str, float | None]]]

SPLITS = ("train", "validation", "calibration", "test")
COMPARED = (
    "auc",
    "gini",
    "ks",
    "brier",
    "log_loss",
    "calibration_slope",
    "calibration_intercept",
    "psi",
)


def predict(
    model: Model,
    calibration: dict[str, float],
    model_input: pd.DataFrame,
    decision: DecisionParameters,
) -> pd.DataFrame:
    """Score every application of every split.

    Args:
        model: The candidate.
        calibration: ``slope`` and ``intercept``.
        model_input: Features, split and outcome of each application.
        decision: Holds the points scale.

    Returns:
        Id, ``split``, ``bad``, ``margin``, ``pd`` and ``score`` (unrounded), in
        the order of the rows.
    """
    x = model_input[list(model.features)].to_numpy(np.float64)
    margin = model.margin(np.ascontiguousarray(x))
    log_odds = Calibration.model_validate(calibration).log_odds(margin)
    first = [str(model_input.columns[0]), "split", "bad"]
    return model_input[first].assign(
        margin=margin,
        pd=expit(log_odds),
        score=score_from_log_odds(log_odds, decision.scaling),
    )


def measure_candidate(
    predictions: pd.DataFrame, evaluation: EvaluationParameters
) -> Metrics:
    """Measure a candidate on each split.

    Args:
        predictions: As `predict` gives them.
        evaluation: Bootstrap, and the splits that have intervals.

    Returns:
        Split -> measure -> ``value``, ``low``, ``high`` (null without an
        interval); ``psi`` is that of the score against the train split.

    Raises:
        EvaluationError: If a split is missing, or a measure is not defined.
    """
    expected = split_of(predictions, "train")["score"].to_numpy(np.float64)
    metrics: Metrics = {}
    for split in SPLITS:
        rows = split_of(predictions, split)
        wanted = split in evaluation.interval_splits
        bootstrap = evaluation.bootstrap if wanted else None
        measures = measure_split(
            rows["pd"].to_numpy(np.float64),
            rows["bad"].to_numpy(np.float64),
            bootstrap=bootstrap,
        )
        measures["psi"] = measure_stability(
            expected,
            rows["score"].to_numpy(np.float64),
            bins=evaluation.psi_bins,
            bootstrap=bootstrap,
        )
        metrics[split] = {name: item.as_json() for name, item in measures.items()}
    return metrics


def tabulate_reliability(
    predictions: pd.DataFrame, evaluation: EvaluationParameters
) -> pd.DataFrame:
    """Compare predicted and observed bad rates in bins of the PD.

    Args:
        predictions: As `predict` gives them.
        evaluation: Reported split, and number of bins.

    Returns:
        One row a bin: ``n``, ``mean_pd``, ``bad_rate``, ``low``, ``high``.
    """
    rows = split_of(predictions, evaluation.reported_split)
    table = reliability_table(
        rows["pd"].to_numpy(np.float64),
        rows["bad"].to_numpy(np.float64),
        bins=evaluation.reliability_bins,
    )
    return pd.DataFrame([asdict(line) for line in table])


def rank_features(
    model: Model,
    calibration: dict[str, float],
    model_input: pd.DataFrame,
    decision: DecisionParameters,
    evaluation: EvaluationParameters,
) -> pd.DataFrame:
    """Rank features by how far they move scores from the just-approved.

    Args:
        model: The candidate, with its background.
        calibration: ``slope`` and ``intercept``.
        model_input: Features, split and outcome of each application.
        decision: Holds the points scale.
        evaluation: Reported split.

    Returns:
        ``feature`` and ``mean_absolute_points``, the strongest first.
    """
    rows = split_of(model_input, evaluation.reported_split)
    x = np.ascontiguousarray(rows[list(model.features)].to_numpy(np.float64))
    slope = Calibration.model_validate(calibration).slope
    moved = np.abs(model.contributions(x)).mean(axis=0)
    table = pd.DataFrame(
        {
            "feature": list(model.features),
            "mean_absolute_points": decision.scaling.factor * slope * moved,
        }
    )
    return table.sort_values(
        "mean_absolute_points", ascending=False, kind="stable", ignore_index=True
    )


def tabulate_points(
    model: Scorecard, calibration: dict[str, float], decision: DecisionParameters
) -> pd.DataFrame:
    """Write a scorecard down as the points of each bin.

    Args:
        model: The scorecard.
        calibration: ``slope`` and ``intercept``, folded into the points.
        decision: Holds the points scale.

    Returns:
        One row a bin; an application's score is the sum of its bins' points.
    """
    line = Calibration.model_validate(calibration)
    table = points_table(
        model, scaling=decision.scaling, slope=line.slope, intercept=line.intercept
    )
    return pd.DataFrame([asdict(item) for item in table])


def compare_candidates(
    evaluation: EvaluationParameters, **metrics: Metrics
) -> dict[str, Any]:
    """Put the candidates' measures beside each other.

    Args:
        evaluation: Reported split.
        metrics: Candidate -> its metrics.

    Returns:
        JSON-like: ``split``, ``rows``, ``bads`` and ``candidates``, which has
        for each candidate its measures with their intervals.

    Raises:
        EvaluationError: If the candidates were measured on different rows.
    """
    split = evaluation.reported_split
    counts = {
        (found[split]["rows"]["value"], found[split]["bads"]["value"])
        for found in metrics.values()
    }
    if len(counts) != 1:
        raise EvaluationError(
            f"{len(metrics)} candidates were measured on {len(counts)} different "
            f"{split} splits; run evaluation again for all of them"
        )
    ((rows, bads),) = counts
    return {
        "split": split,
        "rows": int(rows or 0),
        "bads": int(bads or 0),
        "candidates": {
            name: {measure: found[split][measure] for measure in COMPARED}
            for name, found in metrics.items()
        },
    }


def tabulate_comparison(comparison: dict[str, Any]) -> pd.DataFrame:
    """Lay the comparison out as a table: one row a measure.

    Args:
        comparison: As `compare_candidates` gives it.

    Returns:
        ``measure``, and for each candidate its value, low and high.
    """
    lines = []
    for measure in COMPARED:
        line: dict[str, Any] = {"measure": measure}
        for name, found in comparison["candidates"].items():
            line[name] = found[measure]["value"]
            line[f"{name}_low"] = found[measure]["low"]
            line[f"{name}_high"] = found[measure]["high"]
        lines.append(line)
    return pd.DataFrame(lines)


def split_of(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    """Take the rows of one split.

    Raises:
        EvaluationError: If there are none.
    """
    found = rows[rows["split"] == split]
    if found.empty:
        raise EvaluationError(f"split {split} has no row of {len(rows)}")
    return found
