import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import xgboost
from distributed import Client
from sklearn.metrics import roc_auc_score

from credit_scoring.boosting.clustered import ClusterGrower
from credit_scoring.boosting.fitting import fit_boosting
from credit_scoring.boosting.growers import HereGrower
from credit_scoring.cluster import ClusterParameters, connected
from credit_scoring.errors import ClusterError

from .test_fitting import DIRECTIONS, PARAMETERS

CLUSTER = ClusterParameters(workers=2, memory_limit="2GiB")
SETTINGS: dict[str, Any] = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "tree_method": "hist",
    "seed": 1,
    "max_depth": 4,
    "learning_rate": 0.05,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "max_bin": 64,
    "nthread": 1,
}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with connected(CLUSTER) as found:
        yield found


@pytest.fixture(scope="module")
def samples(shipped_rows: Any) -> tuple[Any, Any, Any]:
    """Train, validation and test of the shipped accounts."""
    x, bad = shipped_rows.x, shipped_rows.bad
    parts = slice(0, 15_000), slice(15_000, 20_000), slice(20_000, 30_000)
    train, validation, test = ((x[part], bad[part]) for part in parts)
    return train, validation, test


def a_grower(client: Client, samples: Any) -> ClusterGrower:
    return ClusterGrower(client, CLUSTER, *samples[:2], max_bin=64)


def grow(grower: Any, rounds: int = 50) -> xgboost.Booster:
    return grower.grow(SETTINGS, rounds=rounds, stop=20)


def test_a_cluster_ranks_as_one_machine_does(client: Client, samples: Any) -> None:
    x, bad = samples[2]
    here = grow(HereGrower(*samples[:2], max_bin=64, nthread=1)).inplace_predict(x)
    there = grow(a_grower(client, samples)).inplace_predict(x)
    apart = roc_auc_score(bad, here) - roc_auc_score(bad, there)
    assert abs(apart) < 0.003
    assert np.abs(here - there).mean() < 0.015


def test_a_run_goes_on_when_a_worker_is_killed(client: Client, samples: Any) -> None:
    killed: list[int] = []

    def kill_one() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            busy = {k for keys in client.processing().values() for k in keys}
            if any(str(key).startswith("fn-") for key in busy):
                killed.append(next(iter(pids.values())))
                os.kill(killed[0], signal.SIGKILL)
                return
            time.sleep(0.02)

    pids = client.run(os.getpid)
    killer = threading.Thread(target=kill_one)
    killer.start()
    grown = grow(a_grower(client, samples))
    killer.join()
    assert killed
    assert killed[0] not in client.run(os.getpid).values()
    x, bad = samples[2]
    here = grow(HereGrower(*samples[:2], max_bin=64, nthread=1)).inplace_predict(x)
    there = grown.inplace_predict(x)
    assert abs(roc_auc_score(bad, here) - roc_auc_score(bad, there)) < 0.003
    assert np.abs(here - there).mean() < 0.015


@pytest.mark.parametrize("lost", [True, False])
def test_only_the_loss_of_a_worker_is_tried_again(
    lost: bool, client: Client, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grower = a_grower(client, samples)
    tries: list[int] = []

    def fail(*arguments: Any, **options: Any) -> None:
        tries.append(1)
        raise ValueError("no such setting")

    monkeypatch.setattr(grower, "_grow", fail)
    monkeypatch.setattr(grower, "_has_lost_a_worker", lambda: lost)
    expected = (
        pytest.raises(ClusterError, match="a trial lost workers 3 times")
        if lost
        else pytest.raises(ValueError, match="no such setting")
    )
    with expected:
        grow(grower)
    assert len(tries) == (3 if lost else 1)


def test_the_candidate_is_fitted_on_the_cluster_that_is_named(
    client: Client, sample: Any
) -> None:
    there = CLUSTER.model_copy(update={"address": client.scheduler.address})
    parameters = PARAMETERS.model_copy(update={"cluster": there, "n_trials": 2})
    fitted = fit_boosting(
        sample.x[:3000],
        sample.bad[:3000],
        sample.x[3000:],
        sample.bad[3000:],
        feature_names=sample.names,
        directions=DIRECTIONS,
        parameters=parameters,
    )
    assert len(fitted.trials) == 2
    margin = fitted.model.margin(sample.x[3000:])
    assert roc_auc_score(sample.bad[3000:], margin) > 0.8
