"""Nodes of the training pipeline: fit, calibrate, explain."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.boosting.parameters import BoostingParameters
from credit_scoring.contract.model import Contract
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.feature_sets import feature_set_of
from credit_scoring.decision.model import Model
from credit_scoring.decision.parameters import BackgroundParameters, DecisionParameters
from credit_scoring.decision.uncertainty import (
    FeatureRange,
    PdIntervals,
    Uncertainty,
)
from credit_scoring.errors import TrainingError
from credit_scoring.evaluation.calibration import shrunk_recalibration
from credit_scoring.features.definition import FeatureSet
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)
from credit_scoring.pipelines.training.parameters import (
    CandidateParameters,
    TrainingParameters,
)
from credit_scoring.pipelines.validation.nodes import ValidationParameters
from credit_scoring.scorecard.scaling import score_from_log_odds

if TYPE_CHECKING:
    from credit_scoring.boosting.external_memory import StoredRows

Values = NDArray[np.float64]


class FittedOutputs(TypedDict):
    """What fitting a candidate gives, by output of the node."""

    fitted_model: Model
    search_trials: pd.DataFrame
    chosen_parameters: dict[str, Any]


class ExplainedOutputs(TypedDict):
    """What explaining a candidate gives, by output of the node."""

    model: Model
    background: pd.DataFrame


# Kedro hands over each dataset and each group of parameters by itself.
def fit_candidate(  # noqa: PLR0913, PLR0917
    model_input: pd.DataFrame,
    ingestion_summary: Mapping[str, Any],
    candidate: CandidateParameters,
    contract: Contract,
    feature_engineering: FeatureEngineeringParameters,
    validation: ValidationParameters,
) -> FittedOutputs:
    """Fit a candidate of either family on train, chosen on validation.

    Args:
        model_input: Features, split and outcome of each application.
        ingestion_summary: Has the digest of the files that these are of.
        candidate: Family, and how it is fitted.
        contract: The columns that features are made of.
        feature_engineering: Names the features, and how rows are split.
        validation: Largest share of rejected rows of files that are read here, as
            they are larger than memory.

    Returns:
        The model, not yet calibrated; the trials of its search; the
        hyper-parameters that won.

    Raises:
        TrainingError: If a split lacks goods or bads, or features are missing.
        BatchError: If files that are larger than memory cannot be read.
        ContractError: If too large a share of their rows is rejected, or they are
            not those that were ingested.
    """
    features = feature_set_of(feature_engineering.feature_set, contract)
    train_x, train_bad = take_split(model_input, "train", features)
    validation_x, validation_bad = take_split(model_input, "validation", features)
    samples = (train_x, train_bad, validation_x, validation_bad)
    names, directions = features.names, features.directions
    parameters = candidate.root
    # A family's fitting libraries are imported only where it is fitted.
    if isinstance(parameters, BoostingParameters):
        store = partial(
            _store_training_rows,
            digest=ingestion_summary["data_digest"],
            contract=contract,
            feature_engineering=feature_engineering,
            maximum_rejected_share=validation.maximum_rejected_share,
        )
        fitted: Any = _fit_boosting(samples, features, parameters, store)
    else:
        from credit_scoring.scorecard.fitting import fit_scorecard

        fitted = fit_scorecard(
            *samples, feature_names=names, directions=directions, parameters=parameters
        )
    return {
        "fitted_model": fitted.model,
        "search_trials": fitted.trials,
        "chosen_parameters": fitted.chosen,
    }


def _store_training_rows(location: str, rows: "StoredRows", **judged_by: Any) -> None:
    # It reads tables of any size, which most runs have no need of.
    from credit_scoring.pipelines.training.storing import TrainingFiles

    TrainingFiles(**judged_by).store(location, rows)


def _fit_boosting(
    samples: tuple[Values, Values, Values, Values],
    features: FeatureSet,
    parameters: BoostingParameters,
    store: "Callable[[str, StoredRows], None]",
) -> Any:
    from credit_scoring.boosting.fitting import fit_boosting

    fit = partial(
        fit_boosting,
        *samples,
        feature_names=features.names,
        directions=features.directions,
        parameters=parameters,
    )
    outside = parameters.external_memory
    if outside is None:
        return fit()
    from credit_scoring.boosting.external_memory import stored_rows

    with stored_rows(Path(outside.folder)) as stored:
        store(outside.input, stored)
        return fit(stored=stored)


def calibrate(
    fitted_model: Model, model_input: pd.DataFrame, training: TrainingParameters
) -> dict[str, float]:
    """Calibrate a candidate on rows that neither training nor testing sees.

    Args:
        fitted_model: The candidate.
        model_input: Features, split and outcome of each application.
        training: How many bads a calibration needs.

    Returns:
        ``slope`` and ``intercept`` of log-odds = intercept + slope * margin.

    Raises:
        TrainingError: If the calibration split has too few bads, or a higher
            margin does not go with a higher bad rate there.
    """
    x, bad = take_split(model_input, "calibration", fitted_model)
    bads = int(bad.sum())
    if bads < training.min_calibration_bads:
        raise TrainingError(
            f"the calibration split has {bads} bads among {len(bad)} rows; expected "
            f"{training.min_calibration_bads} or more"
        )
    fit = shrunk_recalibration(fitted_model.margin(x), bad)
    if fit.slope <= 0:
        raise TrainingError(
            f"the calibration slope is {fit.slope:.3f}: the margin does not rise with "
            f"the risk on the {len(bad)} rows of the calibration split"
        )
    calibration = Calibration(slope=fit.slope, intercept=fit.intercept)
    return calibration.model_dump()


def describe_uncertainty(
    model: Model, model_input: pd.DataFrame, training: TrainingParameters
) -> dict[str, Any]:
    """Find out how sure a candidate's PDs are, and whom it has never seen.

    Args:
        model: The candidate, with its background.
        model_input: Features, split and outcome of each application.
        training: Level and windows of the intervals, tails of the ranges.

    Returns:
        An `Uncertainty` as JSON: intervals of the PD from the calibration split,
        and the range in the training split of each feature that moves a score.

    Raises:
        TrainingError: If a split has no row, or a feature is missing.
        EvaluationError: If the calibration split has only one outcome.
    """
    # It needs scipy, as fitting does.
    from credit_scoring.evaluation.bands import rate_bands

    wanted = training.pd_interval
    calibration_x, bad = take_split(model_input, "calibration", model)
    bands = rate_bands(
        model.margin(calibration_x),
        bad,
        level=wanted.level,
        window_rows=wanted.window_rows,
        steps=wanted.steps,
    )
    train_x, _ = take_split(model_input, "train", model)
    intervals = PdIntervals(
        level=wanted.level,
        window_rows=wanted.window_rows,
        margins=tuple(bands.margins.tolist()),
        low=tuple(bands.low.tolist()),
        high=tuple(bands.high.tolist()),
    )
    ranges = training_ranges(model, train_x, tail=training.range_tail)
    return Uncertainty(pd_intervals=intervals, ranges=ranges).model_dump(mode="json")


def training_ranges(model: Model, x: Values, *, tail: float) -> dict[str, FeatureRange]:
    """Find the range in training of each feature that the model uses.

    Args:
        model: The candidate, with its background.
        x: Feature matrix of the training split, shape (n, n_features).
        tail: Share of the rows left out at each end.

    Returns:
        Feature -> range. What contributes to no score, or is never known, has none.
    """
    used = (model.contributions(x) != 0).any(axis=0)
    ranges = {}
    for place, name in enumerate(model.features):
        known = x[~np.isnan(x[:, place]), place]
        if used[place] and known.size:
            low = float(np.quantile(known, tail, method="lower"))
            high = float(np.quantile(known, 1 - tail, method="higher"))
            ranges[name] = FeatureRange(low=low, high=high, missing=known.size < len(x))
    return ranges


def explain_against_just_approved(
    fitted_model: Model,
    calibration: dict[str, float],
    model_input: pd.DataFrame,
    decision: DecisionParameters,
) -> ExplainedOutputs:
    """Give a candidate the applicants that its reasons compare with.

    Args:
        fitted_model: The candidate.
        calibration: ``slope`` and ``intercept``.
        model_input: Features, split and outcome of each application.
        decision: Points scale, approve cut-off, and how wide the background is.

    Returns:
        The candidate with its background, and the background's rows: id and
        features, the lowest score first.

    Raises:
        TrainingError: If too few training applications reach the cut-off.
    """
    train = model_input[model_input["split"] == "train"]
    x = feature_matrix(train, fitted_model)
    log_odds = Calibration.model_validate(calibration).log_odds(fitted_model.margin(x))
    chosen = choose_just_approved(
        score_from_log_odds(log_odds, decision.scaling),
        approve_from=decision.policy.approve_from,
        background=decision.background,
    )
    columns = [str(train.columns[0]), *fitted_model.features]
    return {
        "model": fitted_model.with_background(x[chosen]),
        "background": train.iloc[chosen][columns].reset_index(drop=True),
    }


def choose_just_approved(
    score: Values, *, approve_from: float, background: BackgroundParameters
) -> NDArray[np.intp]:
    """Choose the lowest-scored of those that reach the approve cut-off.

    Args:
        score: Points, shape (n,); higher is safer.
        approve_from: Approve cut-off, in points.
        background: All within so many points of it, but at least so many rows.

    Returns:
        Positions in ``score``, the lowest score first.

    Raises:
        TrainingError: If fewer rows than the least number reach the cut-off.
    """
    approved = np.flatnonzero(score >= approve_from)
    if approved.size < background.minimum_rows:
        raise TrainingError(
            f"{approved.size} of {score.size} training applications score "
            f"{approve_from:g} or more; the reasons compare with "
            f"{background.minimum_rows} or more: lower policy.approve_from or "
            "background.minimum_rows"
        )
    order = approved[np.argsort(score[approved], kind="stable")]
    near = int((score[order] <= approve_from + background.within_points).sum())
    return order[: max(near, background.minimum_rows)]


def take_split(
    model_input: pd.DataFrame, split: str, features: FeatureSet | Model
) -> tuple[Values, Values]:
    """Take one split's features, shape (n, n_features), and outcomes, shape (n,).

    Raises:
        TrainingError: If the split has no row, or a feature is missing.
    """
    rows = model_input[model_input["split"] == split]
    if rows.empty:
        raise TrainingError(f"split {split} has no row of {len(model_input)}")
    return feature_matrix(rows, features), rows["bad"].to_numpy(np.float64)


def feature_matrix(rows: pd.DataFrame, features: FeatureSet | Model) -> Values:
    """Take the features in the model's order, shape (n, n_features), C order.

    Raises:
        TrainingError: If a feature is missing.
    """
    names = features.names if isinstance(features, FeatureSet) else features.features
    absent = [name for name in names if name not in rows.columns]
    if absent:
        raise TrainingError(
            f"{len(absent)} features are not in the model input: "
            f"{', '.join(absent[:5])}; run feature_engineering again"
        )
    return np.ascontiguousarray(rows[list(names)].to_numpy(np.float64))
