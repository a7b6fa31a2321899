import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
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


@pytest.fixture
def a_grower(client: Client, samples: Any) -> Iterator[ClusterGrower]:
    """Of the cluster that all tests of this file share."""
    there = CLUSTER.model_copy(update={"address": client.scheduler.address})
    with ClusterGrower(there, *samples[:2], max_bin=64) as grower:
        yield grower


def grow(grower: Any, rounds: int = 50) -> xgboost.Booster:
    return grower.grow(SETTINGS, rounds=rounds, stop=20)


def ranks_as_one_machine_does(grown: xgboost.Booster, samples: Any) -> bool:
    x, bad = samples[2]
    here = grow(HereGrower(*samples[:2], max_bin=64, nthread=1)).inplace_predict(x)
    there = grown.inplace_predict(x)
    apart = roc_auc_score(bad, here) - roc_auc_score(bad, there)
    return abs(apart) < 0.003 and np.abs(here - there).mean() < 0.015


def test_a_cluster_ranks_as_one_machine_does(
    a_grower: ClusterGrower, samples: Any
) -> None:
    assert ranks_as_one_machine_does(grow(a_grower), samples)


@contextmanager
def killed_while_growing(client: Client, victim: int) -> Iterator[list[int]]:
    """Kill a process as soon as trees are grown."""
    killed: list[int] = []

    def kill() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            busy = {k for keys in client.processing().values() for k in keys}
            if any(str(key).startswith("fn-") for key in busy):
                killed.append(victim)
                os.kill(victim, signal.SIGKILL)
                return
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    yield killed
    killer.join()


# A worker that is killed may take the scheduler with it: see `credit_scoring.cluster`.
@pytest.mark.parametrize("victim", ["worker", "scheduler"])
def test_a_run_goes_on_when_a_process_is_killed(
    victim: str, samples: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with ClusterGrower(CLUSTER, *samples[:2], max_bin=64) as grower:
        workers = grower.client.run(os.getpid)
        scheduler = grower.client.run_on_scheduler(os.getpid)
        pid = scheduler if victim == "scheduler" else next(iter(workers.values()))
        with killed_while_growing(grower.client, pid) as killed:
            grown = grow(grower)
        assert killed == [pid]
        left = {*grower.client.run(os.getpid).values()}
        assert pid not in left
    assert "the trial is begun again" in caplog.text
    assert ranks_as_one_machine_does(grown, samples)


@pytest.mark.parametrize("lost", [True, False])
def test_only_the_loss_of_a_worker_is_tried_again(
    lost: bool, a_grower: ClusterGrower, monkeypatch: pytest.MonkeyPatch
) -> None:
    grower = a_grower
    tries: list[int] = []

    def fail(*arguments: Any, **options: Any) -> None:
        tries.append(1)
        raise ValueError("no such setting")

    monkeypatch.setattr(grower, "_grow", fail)
    monkeypatch.setattr(grower, "_has_lost_some", lambda: lost)
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
