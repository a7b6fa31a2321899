"""Growing the trees of one trial: in this process, or on a cluster."""

from typing import Any, Protocol

import numpy as np
import xgboost
from numpy.typing import NDArray

Sample = tuple[NDArray[np.float64], NDArray[np.int8] | NDArray[np.float64]]


class Grower(Protocol):
    """Holds the rows, and grows trees on them as often as it is asked to."""

    def grow(self, settings: dict[str, Any], *, rounds: int, stop: int) -> Any:
        """Grow trees until the validation loss stops falling.

        Args:
            settings: What XGBoost is told.
            rounds: Most trees.
            stop: Trees without a lower loss after which it stops.

        Returns:
            A booster with all the trees, which knows its `best_iteration` and
            `best_score`.
        """
        ...


class HereGrower:
    """Grows trees in this process, on rows that are in its memory."""

    def __init__(self, train: Sample, validation: Sample, **limits: int) -> None:
        """Put the rows into bins, once for all trials.

        Args:
            train: Features and outcomes to grow on.
            validation: To stop on, in the same bins.
            limits: ``max_bin`` and ``nthread``.
        """
        self._train: xgboost.DMatrix = xgboost.QuantileDMatrix(*train, **limits)
        self._validation = xgboost.QuantileDMatrix(
            *validation, ref=self._train, **limits
        )

    def grow(
        self, settings: dict[str, Any], *, rounds: int, stop: int
    ) -> xgboost.Booster:
        """See `Grower`."""
        return xgboost.train(
            settings,
            self._train,
            num_boost_round=rounds,
            evals=[(self._validation, "validation")],
            early_stopping_rounds=stop,
            verbose_eval=False,
        )
