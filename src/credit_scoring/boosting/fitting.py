"""Fitting of the boosting candidate: monotone trees, stopped on validation rows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from credit_scoring.boosting.conversion import ensemble_from_booster
from credit_scoring.boosting.ensemble import TreeEnsemble
from credit_scoring.boosting.external_memory import StoredGrower, StoredRows
from credit_scoring.boosting.growers import Grower, HereGrower, Sample
from credit_scoring.boosting.parameters import BoostingParameters, Hyperparameters
from credit_scoring.boosting.search import Trial, search_hyperparameters
from credit_scoring.candidates import FittedCandidate
from credit_scoring.cluster import require_dask
from credit_scoring.errors import TrainingError

Outcomes = NDArray[np.int8] | NDArray[np.float64]

_MEASURES = ("n_trees", "validation_log_loss")


def fit_boosting(  # noqa: PLR0913 - two labelled samples, and what to fit on them
    train_x: NDArray[np.float64],
    train_bad: Outcomes,
    validation_x: NDArray[np.float64],
    validation_bad: Outcomes,
    *,
    feature_names: Sequence[str],
    directions: Sequence[int],
    parameters: BoostingParameters,
    stored: StoredRows | None = None,
) -> FittedCandidate[TreeEnsemble]:
    """Search and fit monotone gradient boosting.

    Validation rows decide when trees stop being added and which hyper-parameters
    win; no tree is grown on them. The same rows, parameters and library versions
    give the same model to the byte.

    Args:
        train_x: Features to grow trees on, shape (n_train, n_features); NaN is
            missing.
        train_bad: 1 = bad, 0 = good, shape (n_train,).
        validation_x: Features to stop and choose on, shape (n_validation,
            n_features).
        validation_bad: 1 = bad, 0 = good, shape (n_validation,).
        feature_names: Names of the features, in order.
        directions: For each feature +1, if the PD may only rise with it, -1, if
            it may only fall, 0 if either.
        parameters: Budget, seed, limits, starting point and search space.
        stored: Rows to grow the model's trees on, with what the search chose; None
            for those of the search.

    Returns:
        The model without a background, proved bit-equal to XGBoost on all rows;
        the trials; the chosen hyper-parameters with ``n_trees``,
        ``validation_log_loss`` and ``training_rows``.

    Raises:
        TrainingError: If shapes do not fit, or a sample lacks goods or bads.
        ClusterError: If trees are to be grown on a cluster, and it fails.
    """
    names = tuple(feature_names)
    _check_sample("train", train_x, train_bad, len(names))
    _check_sample("validation", validation_x, validation_bad, len(names))
    if len(directions) != len(names):
        raise TrainingError(f"{len(directions)} directions for {len(names)} features")
    settings = {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "seed": parameters.seed,
        "monotone_constraints": tuple(int(d) for d in directions),
        "max_bin": parameters.max_bin,
        "nthread": parameters.nthread,
    }
    samples = (train_x, train_bad), (validation_x, validation_bad)
    with _grower(*samples, parameters) as grower:
        trainer = _Trainer(grower, parameters, settings)
        trials = search_hyperparameters(trainer.evaluate, parameters)
    booster = trainer.booster
    best = trials.iloc[int(trials["validation_log_loss"].to_numpy().argmin())]
    chosen = {name: float(best[name]) for name in Hyperparameters.model_fields}
    chosen |= {name: float(best[name]) for name in _MEASURES}
    chosen["training_rows"] = float(len(train_x) if stored is None else len(stored))
    if stored is not None:
        grower = StoredGrower(stored, samples[1], **_limits(parameters))
        trainer = _Trainer(grower, parameters, settings)
        chosen |= trainer.evaluate(_point_of(chosen)).figures
        booster = trainer.booster
    booster.feature_names = list(names)
    proof = chain(
        [np.concatenate([train_x, validation_x])],
        (x.astype(np.float64) for x, _ in (stored.parts() if stored else ())),
    )
    model = ensemble_from_booster(booster, names, proof)
    return FittedCandidate(model=model, trials=trials, chosen=chosen)


def _point_of(chosen: Mapping[str, float]) -> Hyperparameters:
    names = Hyperparameters.model_fields
    return Hyperparameters.model_validate({name: chosen[name] for name in names})


def _limits(parameters: BoostingParameters) -> dict[str, int]:
    return {"max_bin": parameters.max_bin, "nthread": parameters.nthread}


def _check_sample(
    sample: str, x: NDArray[np.float64], bad: Outcomes, n_features: int
) -> None:
    if x.ndim != 2 or x.shape != (len(bad), n_features):  # noqa: PLR2004
        raise TrainingError(
            f"{sample} features have shape {x.shape}; "
            f"expected ({len(bad)}, {n_features})"
        )
    goods, bads = int((bad == 0).sum()), int((bad == 1).sum())
    if not goods or not bads or goods + bads != len(bad):
        raise TrainingError(
            f"{sample} has {goods} goods and {bads} bads among {len(bad)} rows; "
            "expected both, and nothing else"
        )


@dataclass
class _Trainer:
    """Grows the trees of one trial after another and keeps the best.

    Attributes:
        grower: Holds the rows.
        parameters: The limits.
        settings: What every trial tells XGBoost.
        best: The booster with the smallest validation log loss so far.
        best_loss: That log loss.
    """

    grower: Grower
    parameters: BoostingParameters
    settings: dict[str, Any]
    best: xgboost.Booster | None = field(default=None)
    best_loss: float = field(default=float("inf"))

    @property
    def booster(self) -> xgboost.Booster:
        """The best booster.

        Raises:
            TrainingError: If there is none.
        """
        if self.best is None:
            raise TrainingError("no trial gave a model")
        return self.best

    def evaluate(self, hyperparameters: Hyperparameters) -> Trial:
        """Grow trees until the validation log loss stops falling."""
        booster = self.grower.grow(
            {**self.settings, **hyperparameters.model_dump()},
            rounds=self.parameters.max_rounds,
            stop=self.parameters.early_stopping_rounds,
        )
        loss, n_trees = float(booster.best_score), int(booster.best_iteration) + 1
        if loss < self.best_loss:
            self.best, self.best_loss = booster[:n_trees], loss
        return Trial(loss=loss, measures={"n_trees": n_trees})


@contextmanager
def _grower(
    train: Sample, validation: Sample, parameters: BoostingParameters
) -> Iterator[Grower]:
    """Hold the rows where the trees are to be grown."""
    if parameters.cluster is None:
        yield HereGrower(train, validation, **_limits(parameters))
        return
    require_dask()
    from credit_scoring.boosting.clustered import ClusterGrower

    max_bin = parameters.max_bin
    with ClusterGrower(parameters.cluster, train, validation, max_bin=max_bin) as there:
        yield there
