"""The small portfolio of the registry's tests, as the pipeline sees it."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.parameters import BackgroundParameters, DecisionParameters
from credit_scoring.pipelines.promotion.parameters import PromotionParameters
from credit_scoring.registry.gate_parameters import GateParameters

_spec = spec_from_file_location(
    "fixtures_of_the_registry", Path(__file__).parents[2] / "registry" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_registry = module_from_spec(_spec)
_spec.loader.exec_module(_registry)

PLOTS = ("bins", "importance", "ks", "reliability", "roc", "score_distribution")
TABLES = ("vintage_table", "feature_importance", "reliability_table", "search_trials")

applications = _registry.applications
bento_home = _registry.bento_home
contract = _registry.contract
empty_store = _registry.empty_store
engine = _registry.engine
feature_set = _registry.feature_set
linear_family = _registry.linear_family
mlflow_store = _registry.mlflow_store
signing_key = _registry.signing_key
policy = _registry.policy


@pytest.fixture
def validated_applications(applications: dict[str, np.ndarray]) -> pd.DataFrame:
    ids = [f"L{row}" for row in range(400)]
    ages = np.random.default_rng(5).choice([30.0, 50.0], 400)
    return pd.DataFrame({"loan_id": ids, **applications, "age_years": ages, "bad": 0})


@pytest.fixture
def splits(validated_applications: pd.DataFrame) -> pd.DataFrame:
    names = ["train", "validation", "calibration", "test"] * 100
    ratio = validated_applications["debt"] / validated_applications["limit"]
    log_odds = 1.5 * ratio + 0.9 * validated_applications["late"] - 4
    bad = np.random.default_rng(6).random(400) < 1 / (1 + np.exp(-log_odds))
    return pd.DataFrame(
        {
            "loan_id": validated_applications["loan_id"],
            "split": names,
            "bad": bad.astype("int8"),
        }
    )


@pytest.fixture
def decision(engine: DecisionEngine) -> DecisionParameters:
    return DecisionParameters(
        scaling=engine.grading.scaling,
        policy=engine.grading.policy,
        background=BackgroundParameters(within_points=5, minimum_rows=5),
    )


@pytest.fixture
def promotion() -> PromotionParameters:
    return PromotionParameters(
        data_source="data/01_raw/small.csv",
        gates=GateParameters.model_validate(gate_values()),
        cut_off_targets={"approval_rates": (0.5,), "bad_rates": (0.1,)},
    )


def gate_values() -> dict[str, Any]:
    """What a good candidate reaches on a hundred test rows."""
    values = _registry.gate_values()
    values["minimum_auc"] = 0.6
    values["calibration"] |= {
        "slope": {"low": 0.3, "high": 3},
        "in_the_large": {"low": -3, "high": 3},
        "spiegelhalter_p": 0,
        "likelihood_ratio_p": 0,
    }
    values["stability"] = {"score_psi": 2, "feature_psi": 2}
    values["fairness"] |= {
        "impact_ratio": 0.2,
        "score_difference": 2,
        "opportunity_difference": 0.8,
    }
    values["profit"] |= {"minimum": -1, "margin": 0.2}
    return values


@pytest.fixture
def feature_engineering() -> SimpleNamespace:
    return SimpleNamespace(feature_set="small_set")


def metrics(slope: float | None = 1.0) -> dict[str, Any]:
    return {
        "test": {
            "auc": {"value": 0.9, "low": 0.8, "high": 0.95},
            "calibration_slope": {"value": slope, "low": None, "high": None},
            "calibration_intercept": {"value": 0.0, "low": None, "high": None},
        }
    }


@pytest.fixture
def inputs(  # noqa: PLR0913, PLR0917 - all that a pipeline reads
    validated_applications: pd.DataFrame,
    splits: pd.DataFrame,
    contract: Contract,
    engine: DecisionEngine,
    decision: DecisionParameters,
    promotion: PromotionParameters,
    feature_engineering: SimpleNamespace,
) -> dict[str, Any]:
    """Everything that the promotion pipeline reads, by dataset."""
    model = engine.model
    background = np.array([[0.2, 0.0]])
    weaker = type(model)(model.features, (0.01, -0.9), background)
    each = {
        "calibration": {"slope": 1.0, "intercept": -4.0},
        "metrics": metrics(),
        "background": pd.DataFrame(background, columns=list(model.features)),
        "chosen_parameters": {"depth": 3},
        "uncertainty": _registry.uncertainty().model_dump(mode="json"),
        **{f"plots_{name}": b"PNG" for name in PLOTS},
        **dict.fromkeys(TABLES, pd.DataFrame({"feature": ["late"], "points": [1.5]})),
    }
    return {
        "validated_applications": validated_applications,
        "splits": splits,
        "validation_summary": {"data_digest": "d" * 64},
        "params:contract": contract,
        "params:decision": decision,
        "params:promotion": promotion,
        "params:feature_engineering": feature_engineering,
        **{f"scorecard.{name}": value for name, value in each.items()},
        **{f"boosting.{name}": value for name, value in each.items()},
        "scorecard.model": weaker,
        "boosting.model": model,
        "scorecard.points_table": pd.DataFrame({"points": [1.5]}),
    }
