"""Matured outcomes of two models of which one knows more, made by chance alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from credit_scoring.challenge.parameters import ChallengeParameters, Differences
from credit_scoring.challenge.selection import Pair
from credit_scoring.registry.gate_parameters import GateParameters

PROJECT = Path(__file__).parents[2]
PAIR = Pair("c" * 64, "d" * 64)
MATTERS = Differences(auc=0.005, brier=0.0005, log_loss=0.0025, profit=0.001)
Decided = Callable[..., pd.DataFrame]


def expit(margin: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-margin))


@pytest.fixture
def pair() -> Pair:
    return PAIR


@pytest.fixture
def parameters() -> ChallengeParameters:
    return ChallengeParameters(smallest_difference=MATTERS)


@pytest.fixture
def shadowed() -> Decided:
    """Decisions in the shadow: who has more noise knows less."""

    def decide(
        rows: int, *, champion_noise: float, challenger_noise: float, seed: int = 1
    ) -> pd.DataFrame:
        generator = np.random.default_rng(seed)
        risk = generator.normal(-2.0, 1.2, rows)
        bad = generator.random(rows) < expit(risk)
        pds = [
            calibrated(risk, noise, generator)
            for noise in (champion_noise, challenger_noise)
        ]
        decisions = [np.where(pd_ < 0.167, "approve", "decline") for pd_ in pds]
        status = np.where(
            decisions[0] == "decline", "declined", np.where(bad, "bad", "good")
        )
        return pd.DataFrame(
            {
                "decision_id": [f"{seed}-{n}" for n in range(rows)],
                "scored_at": pd.date_range(
                    "2026-01-01", periods=rows, freq="10min", tz="UTC"
                ),
                "arm": "champion",
                "model_digest": PAIR.champion,
                "pd": pds[0],
                "decision": decisions[0],
                "status": status,
                "bad": pd.array(bad, dtype="Int8").astype("Int8"),
                "challenger_pd": pds[1],
                "challenger_decision": decisions[1],
                "challenger_digest": PAIR.challenger,
                "credit_limit": generator.lognormal(11, 0.5, rows),
            }
        ).assign(
            bad=lambda t: t["bad"].where(t["status"].isin(["good", "bad"])),
        )

    return decide


def calibrated(
    risk: np.ndarray, noise: float, generator: np.random.Generator
) -> np.ndarray:
    """PD of somebody who sees the risk with noise, and knows that."""
    seen = risk + generator.normal(0, noise, risk.size)
    weight = 1.2**2 / (1.2**2 + noise**2)
    mean = -2.0 + weight * (seen + 2.0)
    spread = 1.2**2 * (1 - weight)
    nodes, weights = np.polynomial.hermite_e.hermegauss(11)
    return (expit(mean[:, None] + np.sqrt(spread) * nodes) * weights).sum(
        axis=1
    ) / weights.sum()


@pytest.fixture
def split() -> Decided:
    """Decisions by arm, as two such models make them."""

    def decide(
        rows: int,
        *,
        champion_noise: float,
        challenger_noise: float,
        share: float = 0.5,
        seed: int = 1,
    ) -> pd.DataFrame:
        generator = np.random.default_rng(seed)
        risk = generator.normal(-2.0, 1.2, rows)
        bad = generator.random(rows) < expit(risk)
        theirs = generator.random(rows) < share
        pd_ = np.where(
            theirs,
            calibrated(risk, challenger_noise, generator),
            calibrated(risk, champion_noise, generator),
        )
        approved = pd_ < 0.167
        status = np.where(~approved, "declined", np.where(bad, "bad", "good"))
        table = pd.DataFrame(
            {
                "decision_id": [f"{seed}-{n}" for n in range(rows)],
                "scored_at": pd.date_range(
                    "2026-01-01", periods=rows, freq="10min", tz="UTC"
                ),
                "arm": np.where(theirs, "challenger", "champion"),
                "model_digest": np.where(theirs, PAIR.challenger, PAIR.champion),
                "pd": pd_,
                "decision": np.where(approved, "approve", "decline"),
                "status": status,
                "bad": pd.array(bad).astype("Int8"),
                "challenger_pd": np.nan,
                "challenger_decision": None,
                "challenger_digest": None,
                "credit_limit": 1000.0,
            }
        )
        return table.assign(bad=table["bad"].where(approved))

    return decide


@pytest.fixture(scope="session")
def gates() -> GateParameters:
    """What the project asks of a candidate."""
    text = (PROJECT / "conf/base/parameters_promotion.yml").read_text(encoding="utf-8")
    asked = yaml.safe_load(text)["promotion"]["gates"]
    # The sample's worlds are right on average; chance is what other tests are about.
    asked["calibration"]["rule"] = "estimate"
    return GateParameters.model_validate(asked)
