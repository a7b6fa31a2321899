"""The small portfolio of the registry's tests, as a report sees it."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.parameters import BackgroundParameters, DecisionParameters
from credit_scoring.features.definition import FeatureSet
from credit_scoring.pipelines.reporting.content import Evidence
from credit_scoring.pipelines.reporting.parameters import ReportingParameters
from credit_scoring.registry.manifest import read_manifest

_spec = spec_from_file_location(
    "fixtures_of_the_registry", Path(__file__).parents[2] / "registry" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_registry = module_from_spec(_spec)
_spec.loader.exec_module(_registry)

applications = _registry.applications
contents = _registry.contents
contract = _registry.contract
engine = _registry.engine
feature_set = _registry.feature_set
folder = _registry.folder
linear_family = _registry.linear_family
policy = _registry.policy


@pytest.fixture
def reporting() -> ReportingParameters:
    return ReportingParameters.model_validate(
        {
            "purpose": "Says who pays <back>.",
            "owner": "Nobody & Co",
            "interval_groups": 4,
            "segment_parts": 2,
            "stresses": {
                "debts": {
                    "text": "Debts double.",
                    "moves": [{"columns": ["debt"], "factor": 2}],
                },
                "unknown": {
                    "text": "What the contract lacks.",
                    "moves": [{"columns": ["colour"], "factor": 2}],
                },
                "gone": None,
            },
            "sign_offs": [
                {"role": "Owner", "of": "use", "name": "A. B.", "date": "2026-01-02"},
                {"role": "Compliance", "of": "notices"},
            ],
        }
    )


def measured(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


@pytest.fixture
def evidence(
    contract: Contract,
    engine: DecisionEngine,
    feature_set: FeatureSet,
    folder: Path,
    reporting: ReportingParameters,
) -> Evidence:
    """Little of it: most parts of the report have no data."""
    names = ("auc", "gini", "ks", "brier", "log_loss", "mean_pd", "bad_rate")
    split: dict[str, Any] = {name: measured(0.7) for name in names}
    return Evidence(
        contract=contract,
        features=feature_set,
        decision=DecisionParameters(
            scaling=engine.grading.scaling,
            policy=engine.grading.policy,
            background=BackgroundParameters(within_points=5, minimum_rows=5),
        ),
        reporting=reporting,
        manifest=read_manifest(folder),
        registration={"version": 4, "digest": "d" * 64, "run_id": "r1"},
        judgement={"gates": []},
        metrics={"train": split, "test": split},
        validation={"rows": 400, "bad_rate": 0.2},
        calibration={"slope": 1.0, "intercept": 0.0},
    )
