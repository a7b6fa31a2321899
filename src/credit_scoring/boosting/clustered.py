"""Growing trees on a Dask cluster, through XGBoost's own way of doing so."""

import logging
import time
from concurrent.futures import CancelledError
from contextlib import ExitStack
from typing import Any, Self

import dask.array as da
import numpy as np
import xgboost.dask
from distributed.scheduler import KilledWorker
from numpy.typing import NDArray

from credit_scoring.boosting.growers import Sample
from credit_scoring.cluster import ClusterParameters, connected, present, workers_of
from credit_scoring.errors import ClusterError

logger = logging.getLogger(__name__)

# What comes of a worker that is lost, at one of the many places where it is missed.
_LOSS = (
    xgboost.core.XGBoostError,
    CancelledError,
    KilledWorker,
    KeyError,
    OSError,
    RuntimeError,
    TimeoutError,
    ValueError,
)
# A scheduler notices a worker's end after its connections' ends have been noticed.
_NOTICED_SECONDS = 15.0
_POLL_SECONDS = 0.2


class ClusterGrower:
    """Grows trees on the workers of a cluster, each with an equal part of the rows.

    If a worker or the scheduler is lost, the trial is begun again: on a new cluster or,
    at an address, on what then answers there. Dask may move a part, and then other
    trees come of it, as of another seed.

    A context: the connection ends with it.
    """

    def __init__(
        self,
        parameters: ClusterParameters,
        train: Sample,
        validation: Sample,
        *,
        max_bin: int,
    ) -> None:
        """Take the rows; they are sent with the first trial.

        Args:
            parameters: Of the cluster.
            train: Features and outcomes to grow on.
            validation: To stop on, in the same bins.
            max_bin: Bins of a feature.
        """
        self._parameters = parameters
        self._train, self._validation = train, validation
        self._max_bin = max_bin
        self._ranked: list[str] = []
        self._sent: Any = None
        self._connection = ExitStack()
        self.client: Any = None  # of Dask, while connected

    def __enter__(self) -> Self:
        """Connect, starting the cluster if need be.

        Raises:
            ClusterError: See `connected`.
        """
        self.client = self._connection.enter_context(connected(self._parameters))
        return self

    def __exit__(self, *_: object) -> None:
        """End the connection, and the cluster that was started."""
        self._sent = None
        self._connection.close()

    def grow(self, settings: dict[str, Any], *, rounds: int, stop: int) -> Any:
        """See `Grower`.

        Raises:
            ClusterError: If workers are lost again and again, or too few are there.
        """
        for _ in range(self._parameters.tries):
            try:
                return self._grow(settings, rounds=rounds, stop=stop)
            except ClusterError:
                raise
            except _LOSS:
                if not self._has_lost_some():
                    raise
                logger.warning("a worker was lost: the trial is begun again")
                self.__exit__()
                self.__enter__()
        raise ClusterError(
            f"a trial lost workers {self._parameters.tries} times: they need more "
            "memory (cluster.memory_limit), or there must be more of them"
        )

    def _grow(self, settings: dict[str, Any], *, rounds: int, stop: int) -> Any:
        if self._sent is None:
            self._ranked = self._by_rank()
            binned = self._matrix(self._train, None)
            self._sent = binned, self._matrix(self._validation, binned)
        train, validation = self._sent
        grown = xgboost.dask.train(
            self.client,
            settings,
            train,
            num_boost_round=rounds,
            evals=[(validation, "validation")],
            early_stopping_rounds=stop,
            verbose_eval=False,
        )
        return grown["booster"]

    def _by_rank(self) -> list[str]:
        """Order workers as XGBoost ranks them: by the text of name and address."""
        parameters = self._parameters
        found = workers_of(
            self.client, parameters.expected, parameters.patience_seconds
        )
        known = self.client.scheduler_info(n_workers=-1)["workers"]
        return sorted(found, key=lambda address: f"{known[address]['name']}]:{address}")

    def _matrix(self, sample: Sample, ref: Any) -> Any:
        x, bad = (self._array(np.asarray(values)) for values in sample)
        return xgboost.dask.DaskQuantileDMatrix(
            self.client, x, bad, max_bin=self._max_bin, ref=ref
        )

    def _array(self, values: NDArray[Any]) -> Any:
        """Put an equal part of some rows on each worker, in the order of ranks."""
        parts = np.array_split(values, len(self._ranked))
        sent = [
            self.client.scatter(part, workers=[address], hash=False)
            for part, address in zip(parts, self._ranked, strict=True)
        ]
        arrays = [
            da.from_delayed(future, part.shape, part.dtype)
            for future, part in zip(sent, parts, strict=True)
        ]
        return da.concatenate(arrays)

    def _has_lost_some(self) -> bool:
        until = time.monotonic() + _NOTICED_SECONDS
        while time.monotonic() < until:
            if self.client.status != "running":
                return True
            if set(self._ranked) - present(self.client):
                return True
            time.sleep(_POLL_SECONDS)
        return False
