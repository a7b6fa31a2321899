from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from numpy.typing import NDArray

from credit_scoring.boosting.conversion import ensemble_from_booster
from credit_scoring.boosting.ensemble import TreeEnsemble
from credit_scoring.boosting.trees import Trees

SHIPPED = Path(__file__).parents[2] / "data/01_raw/taiwan_credit.csv.gz"


@dataclass(frozen=True)
class Sample:
    """Feature rows and outcomes."""

    x: NDArray[np.float64]
    bad: NDArray[np.int8]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"feature_{column}" for column in range(self.x.shape[1]))


@pytest.fixture(scope="session")
def sample() -> Sample:
    """Made-up rows with ties, scales of all sizes, and missing values."""
    rng = np.random.default_rng(11)
    n = 4_000
    x = np.column_stack(
        [
            rng.normal(0, 1, n),
            np.round(rng.gamma(2, 50_000, n)),
            rng.integers(-2, 9, n),
            rng.random(n),
            rng.normal(0, 1e-6, n),
            rng.integers(0, 2, n),
        ]
    )
    log_odds = x[:, 0] + 0.5 * x[:, 2] - x[:, 1] / 1e5 + x[:, 3] * x[:, 5] - 1
    bad = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    x[rng.random(x.shape) < 0.08] = np.nan
    return Sample(x, bad)


@pytest.fixture(scope="session")
def shipped_rows() -> Sample:
    """The shipped accounts, raw columns, a few values taken out."""
    rows = pd.read_csv(SHIPPED, encoding="utf-8-sig")
    bad = rows.pop("DEFAULT").to_numpy(np.int8)
    x = rows.drop(columns=["ID", "SEX", "EDUCATION", "MARRIAGE", "AGE"])
    x = x.to_numpy(np.float64)
    x[np.random.default_rng(3).random(x.shape) < 0.05] = np.nan
    return Sample(x, bad)


def grow(sample: Sample, n_trees: int = 30, **settings: object) -> xgboost.Booster:
    """Grow trees with XGBoost."""
    matrix = xgboost.QuantileDMatrix(sample.x, sample.bad, max_bin=64)
    chosen = {"objective": "binary:logistic", "max_bin": 64, "nthread": 1, "eta": 0.3}
    return xgboost.train({**chosen, **settings}, matrix, num_boost_round=n_trees)


@pytest.fixture(scope="session")
def booster(sample: Sample) -> xgboost.Booster:
    return grow(sample, max_depth=4)


@pytest.fixture(scope="session")
def ensemble(booster: xgboost.Booster, sample: Sample) -> TreeEnsemble:
    return ensemble_from_booster(booster, sample.names, [sample.x])


@pytest.fixture(scope="session")
def grow_trees():
    return grow


@pytest.fixture
def stump() -> Trees:
    """Left below 2.5 gives -1, right 1, missing goes right; then always 0.25."""
    return Trees(
        feature=np.array([1, 0, 0, 0], dtype=np.int32),
        threshold=np.array([2.5, -np.inf, -np.inf, -np.inf], dtype=np.float32),
        left=np.array([1, 0, 1, 2], dtype=np.int32),
        default_left=np.zeros(4, dtype=np.uint8),
        value=np.array([0, -1, 1, 0.25], dtype=np.float32),
        roots=np.array([0, 3], dtype=np.int32),
    )
