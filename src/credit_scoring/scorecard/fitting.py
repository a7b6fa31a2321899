"""Fitting a scorecard: bins, selection of features, logistic regression."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from credit_scoring.candidates import FittedCandidate
from credit_scoring.errors import TrainingError
from credit_scoring.scorecard.binning import (
    Binning,
    Direction,
    bin_features,
)
from credit_scoring.scorecard.model import (
    BinnedFeature,
    Scorecard,
    ScorecardTable,
    Term,
)
from credit_scoring.scorecard.parameters import ScorecardParameters
from credit_scoring.scorecard.selection import (
    Weights,
    drop_correlated,
    fit_weights,
    weigh,
)

logger = logging.getLogger(__name__)

Values = NDArray[np.float64]


@dataclass(frozen=True)
class _Sample:
    """Weights of evidence and outcomes of one split."""

    woe: Values
    bad: Values


@dataclass(frozen=True)
class _Trial:
    """One point of the search and what came out on the validation split."""

    c: float
    max_correlation: float
    weights: Weights
    log_loss: float

    @property
    def figures(self) -> dict[str, Any]:
        return {
            "c": self.c,
            "max_correlation": self.max_correlation,
            "features": len(self.weights.columns),
            "validation_log_loss": self.log_loss,
        }


def fit_scorecard(  # noqa: PLR0913 - the signature both families share
    train_x: Values,
    train_bad: Values,
    validation_x: Values,
    validation_bad: Values,
    *,
    feature_names: Sequence[str],
    directions: Sequence[Direction],
    parameters: ScorecardParameters,
) -> FittedCandidate[Scorecard]:
    """Fit a scorecard on the training split, chosen on the validation split.

    Bins and coefficients see the training split alone. The validation split
    decides how strong the regularisation is and how alike two features may be:
    the trial with the lowest log loss wins.

    Args:
        train_x: Feature matrix, shape (n_train, n_features); NaN is missing.
        train_bad: 1 for bad, 0 for good, shape (n_train,).
        validation_x: Feature matrix, shape (n_validation, n_features).
        validation_bad: Shape (n_validation,).
        feature_names: Names of the columns.
        directions: Monotone direction of each column.
        parameters: How to bin, select and search.

    Raises:
        TrainingError: If a split lacks goods or bads, or no feature is left.
    """
    _check_outcomes(train_bad, "training")
    _check_outcomes(validation_bad, "validation")
    binning = bin_features(
        train_x,
        train_bad,
        feature_names=feature_names,
        directions=directions,
        parameters=parameters.binning,
    )
    informative = rank_informative(binning, floor=parameters.min_information_value)
    columns = [list(feature_names).index(item.feature) for item in informative]
    trials = _search(
        informative,
        _Sample(weigh(train_x[:, columns], informative), train_bad),
        _Sample(weigh(validation_x[:, columns], informative), validation_bad),
        parameters=parameters,
    )
    best = min(trials, key=lambda trial: trial.log_loss)
    table = _table(binning, informative, best, feature_names, parameters)
    logger.info(
        "Scorecard of %d features; %d left out, each with its reason in the file",
        len(table.terms),
        len(table.left_out),
    )
    return FittedCandidate(
        model=Scorecard(table),
        trials=pd.DataFrame(
            [{"trial": k, **trial.figures} for k, trial in enumerate(trials)]
        ),
        chosen=best.figures,
    )


def rank_informative(binning: Binning, *, floor: float) -> list[BinnedFeature]:
    """Rank the features that tell goods from bads, the most informative first.

    Raises:
        TrainingError: If no feature's information value reaches the floor.
    """
    found = [item for item in binning.binned if item.information_value >= floor]
    if not found:
        raise TrainingError(
            f"none of {len(binning.binned)} binned features has an information "
            f"value of {floor:g} or more"
        )
    return sorted(found, key=lambda item: (-item.information_value, item.feature))


def _check_outcomes(bad: Values, split: str) -> None:
    goods, bads = int((bad == 0).sum()), int((bad == 1).sum())
    if not goods or not bads or goods + bads != len(bad):
        raise TrainingError(
            f"the {split} split has {goods} goods and {bads} bads in {len(bad)} "
            "rows; expected both, and nothing else"
        )


def _search(
    informative: Sequence[BinnedFeature],
    train: _Sample,
    validation: _Sample,
    *,
    parameters: ScorecardParameters,
) -> list[_Trial]:
    names = [item.feature for item in informative]
    points = list(_points(parameters))
    trials = []
    # A bar on standard error while a person looks on; silence otherwise.
    console = Console(stderr=True)
    for c, max_correlation in track(
        points,
        description="search scorecard",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ):
        repeated = drop_correlated(train.woe, names, max_correlation=max_correlation)
        kept = [column for column in range(len(names)) if column not in repeated]
        fitted = fit_weights(train.woe, train.bad, columns=kept, c=c)
        weights = Weights(
            columns=fitted.columns,
            coefficients=fitted.coefficients,
            intercept=fitted.intercept,
            left_out=repeated | fitted.left_out,
        )
        loss = _log_loss(weights.log_odds(validation.woe), validation.bad)
        trials.append(_Trial(c, max_correlation, weights, loss))
    return trials


def _points(parameters: ScorecardParameters) -> Iterator[tuple[float, float]]:
    generator = np.random.default_rng(parameters.seed)
    weakest, strongest = np.log([parameters.c.low, parameters.c.high])
    alike = parameters.max_correlation
    for _ in range(parameters.n_trials):
        c = float(np.exp(generator.uniform(weakest, strongest)))
        yield c, float(generator.uniform(alike.low, alike.high))


def _log_loss(log_odds: Values, bad: Values) -> float:
    return float(np.mean(np.logaddexp(0, log_odds) - bad * log_odds))


def _table(
    binning: Binning,
    informative: Sequence[BinnedFeature],
    best: _Trial,
    feature_names: Sequence[str],
    parameters: ScorecardParameters,
) -> ScorecardTable:
    weights = best.weights
    left_out = dict(binning.left_out)
    for item in binning.binned:
        left_out[item.feature] = (
            f"information value {item.information_value:.4f} is below "
            f"{parameters.min_information_value:g}"
        )
    for column, item in enumerate(informative):
        left_out[item.feature] = weights.left_out.get(column, "")
    return ScorecardTable(
        features=tuple(feature_names),
        intercept=weights.intercept,
        terms=tuple(
            Term(**informative[column].model_dump(), coefficient=coefficient)
            for column, coefficient in zip(
                weights.columns, weights.coefficients, strict=True
            )
        ),
        left_out={n: left_out[n] for n in feature_names if left_out[n]},
    )
