"""Growing trees on a Dask cluster, through XGBoost's own way of doing so."""

import logging
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import xgboost.dask
from distributed.scheduler import KilledWorker
from numpy.typing import NDArray

from credit_scoring.boosting.growers import Sample
from credit_scoring.cluster import ClusterParameters, present, workers_of
from credit_scoring.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client

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

    If a worker is lost, the trial is begun again on as many workers. Dask may move a
    part, and then other trees come of it, as of another seed.
    """

    def __init__(
        self,
        client: "Client",
        parameters: ClusterParameters,
        train: Sample,
        validation: Sample,
        *,
        max_bin: int,
    ) -> None:
        """Take the rows; they are sent with the first trial.

        Args:
            client: Connected.
            parameters: Of the cluster.
            train: Features and outcomes to grow on.
            validation: To stop on, in the same bins.
            max_bin: Bins of a feature.
        """
        self._client, self._parameters = client, parameters
        self._train, self._validation = train, validation
        self._max_bin = max_bin
        self._ranked: list[str] = []
        self._sent: Any = None

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
                if not self._has_lost_a_worker():
                    raise
                self._sent = None
                logger.warning("a worker was lost: the trial is begun again")
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
            self._client,
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
            self._client, parameters.expected, parameters.patience_seconds
        )
        known = self._client.scheduler_info(n_workers=-1)["workers"]
        return sorted(found, key=lambda address: f"{known[address]['name']}]:{address}")

    def _matrix(self, sample: Sample, ref: Any) -> Any:
        x, bad = (self._array(np.asarray(values)) for values in sample)
        return xgboost.dask.DaskQuantileDMatrix(
            self._client, x, bad, max_bin=self._max_bin, ref=ref
        )

    def _array(self, values: NDArray[Any]) -> Any:
        """Put an equal part of some rows on each worker, in the order of ranks."""
        parts = np.array_split(values, len(self._ranked))
        sent = [
            self._client.scatter(part, workers=[address], hash=False)
            for part, address in zip(parts, self._ranked, strict=True)
        ]
        arrays = [
            da.from_delayed(future, part.shape, part.dtype)
            for future, part in zip(sent, parts, strict=True)
        ]
        return da.concatenate(arrays)

    def _has_lost_a_worker(self) -> bool:
        until = time.monotonic() + _NOTICED_SECONDS
        while time.monotonic() < until:
            if set(self._ranked) - present(self._client):
                return True
            time.sleep(_POLL_SECONDS)
        return False
