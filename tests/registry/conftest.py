"""A small contract, feature set, model and artifact."""

import shutil
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import credit_scoring
from credit_scoring.contract.model import Contract
from credit_scoring.decision.calibration import Calibration
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.decision.grading import Grading
from credit_scoring.decision.policy import Policy
from credit_scoring.decision.reasons import ReasonGroups
from credit_scoring.decision.uncertainty import (
    FeatureRange,
    PdIntervals,
    Uncertainty,
)
from credit_scoring.features.definition import FeatureSet, load_feature_set
from credit_scoring.registry import artifact
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact
from credit_scoring.registry.examination import TestRows
from credit_scoring.registry.gate_parameters import GateParameters
from credit_scoring.registry.manifest import Provenance
from credit_scoring.registry.model_card import model_card
from credit_scoring.registry.reference import reference_distributions
from credit_scoring.registry.signing import SIGNING_KEY_FILE, load_signer
from credit_scoring.scorecard.scaling import ScoreScaling

Values = NDArray[np.float64]
HERE = Path(__file__).parent
LINEAR_MODEL = "credit_scoring.linear_model"
SMALL_SET = "credit_scoring.features.small_set"


def imported(path: Path, name: str) -> ModuleType:
    """Import a file of the tests as a module of the package."""
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def linear_family(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The model family and the feature set of the tests, ready to be loaded."""
    module = imported(HERE / "linear_model.py", LINEAR_MODEL)
    monkeypatch.setitem(sys.modules, LINEAR_MODEL, module)
    features = imported(HERE / "small_set.py", SMALL_SET)
    monkeypatch.setitem(sys.modules, SMALL_SET, features)
    families = {**artifact.FAMILIES, "linear": (LINEAR_MODEL, "LinearModel")}
    monkeypatch.setattr(artifact, "FAMILIES", families)
    return module


@pytest.fixture
def feature_set(linear_family: ModuleType) -> FeatureSet:
    assert linear_family
    return load_feature_set("small_set")


@pytest.fixture
def package_copy(tmp_path: Path) -> Path:
    """A copy of the package that knows the tests' family and features."""
    source = Path(credit_scoring.__file__).parent
    copy = tmp_path / "code" / source.name
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "linear_model.py", copy)
    shutil.copy(HERE / "small_set.py", copy / "features")
    with (copy / "registry" / "artifact.py").open("a") as file:
        file.write(
            f'FAMILIES = {{**FAMILIES, "linear": ("{LINEAR_MODEL}", "LinearModel")}}\n'
        )
    return copy


def contract_values() -> dict[str, Any]:
    number = {"type": "number", "role": "application", "description": "A number."}
    return {
        "name": "small",
        "version": 1,
        "title": "a small portfolio",
        "columns": {
            "loan_id": {
                "source": "ID",
                "type": "string",
                "role": "id",
                "description": "Identifies the loan.",
            },
            "limit": {"source": "LIMIT", "minimum": 1, "example": 1000, **number},
            "debt": {"source": "DEBT", "example": 500, **number},
            "late": {**number, "source": "LATE", "role": "history", "example": 0},
            "age_years": {**number, "source": "AGE", "role": "protected"},
            "bad": {
                "source": "BAD",
                "type": "integer",
                "role": "target",
                "description": "Default within a year.",
            },
        },
    }


@pytest.fixture
def contract() -> Contract:
    return Contract.model_validate(contract_values())


def gate_values() -> dict[str, Any]:
    """What a good candidate of a few hundred rows reaches."""
    return {
        "minimum_auc": 0.7,
        "against_champion": {"margin": 0.02},
        "calibration": {
            "rule": "estimate",
            "slope": {"low": 0.7, "high": 1.4},
            "in_the_large": {"low": -0.5, "high": 0.5},
            "spiegelhalter_p": 0.01,
            "likelihood_ratio_p": 0.01,
        },
        "stability": {"score_psi": 0.25, "feature_psi": 0.5},
        "monotonicity": {"rows": 20, "values": 8},
        "fairness": {
            "attributes": {
                "age": {
                    "column": "age_years",
                    "groups": {"young": {"below": 40}, "old": {"at_least": 40}},
                }
            },
            "impact_ratio": 0.7,
            "score_difference": 0.5,
            "opportunity_difference": 0.2,
            "minimum_rows": 10,
            "small_rows": 10,
            "reference_share": 0.1,
            "unassigned_share": 0.05,
        },
        "latency": {"rows": 3, "median_ms": 60_000},
        "profit": {
            "costs": {
                "gain_from_good": 0.2,
                "loss_from_bad": 0.5,
                "exposure": "limit",
            },
            "bootstrap": {"replicates": 100, "seed": 3},
            "minimum": 0.0,
            "margin": 0.02,
        },
    }


@pytest.fixture
def gate_parameters() -> GateParameters:
    return GateParameters.model_validate(gate_values())


@pytest.fixture
def ages(applications: dict[str, Values], engine: DecisionEngine) -> Values:
    """Of the applications: whoever is next by score has the other age."""
    order = np.argsort(engine.decide_unexplained(applications).score, kind="stable")
    found = np.empty(400)
    found[order] = np.resize([30.0, 50.0], 400)
    return found


@pytest.fixture
def rows(
    applications: dict[str, Values], engine: DecisionEngine, ages: Values
) -> TestRows:
    """The applications, with outcomes as likely as the engine says."""
    pd_ = engine.decide_unexplained(applications).pd_
    bad = np.random.default_rng(9).random(400) < pd_
    return TestRows(applications, bad.astype(np.float64), {"age_years": ages})


@pytest.fixture
def policy() -> Policy:
    return Policy.model_validate(
        {
            "approve_from": 520,
            "decline_below": 480,
            "bands": [
                {"code": "A", "from": 520},
                {"code": "B", "from": 480},
                {"code": "C"},
            ],
            "rules": [
                {
                    "code": "POLICY_LATE",
                    "outcome": "decline",
                    "text": "It is late.",
                    "when": {"column": "late", "at_least": 3},
                }
            ],
            "history_unavailable_text": "No history.",
        }
    )


@pytest.fixture
def applications() -> dict[str, Values]:
    random = np.random.default_rng(7)
    limit = random.uniform(1000, 5000, 400).round()
    return {
        "limit": limit,
        "debt": (limit * random.uniform(0, 1.2, 400)).round(),
        "late": random.integers(0, 5, 400).astype(np.float64),
    }


@pytest.fixture
def engine(
    contract: Contract,
    policy: Policy,
    feature_set: FeatureSet,
    linear_family: ModuleType,
) -> DecisionEngine:
    model = linear_family.LinearModel(
        feature_set.names, (1.5, 0.9), np.array([[0.2, 0.0]])
    )
    scaling = ScoreScaling(base_score=600, base_odds=20, pdo=40)
    grading = Grading(Calibration(slope=1.1, intercept=-2.2), scaling, policy)
    groups = ReasonGroups(
        feature_set.names,
        tuple(f.reason for f in feature_set.features),
        feature_set.reasons,
    )
    return DecisionEngine(
        model,
        grading,
        features=feature_set,
        groups=groups,
        columns=contract.input_names,
        uncertainty=uncertainty(),
    )


def uncertainty() -> Uncertainty:
    intervals = PdIntervals(
        level=0.9, window_rows=50, margins=(0.0,), low=(0.0, 0.3), high=(0.5, 1.0)
    )
    known = FeatureRange(low=0, high=1.5, missing=False)
    return Uncertainty(pd_intervals=intervals, ranges={"debt_ratio": known})


@pytest.fixture
def contents(
    engine: DecisionEngine,
    contract: Contract,
    feature_set: FeatureSet,
    applications: dict[str, Values],
) -> ArtifactContents:
    decisions = engine.decide(applications, explain=False)
    background = np.array([[0.2, 0.0]])
    provenance = Provenance(
        data_digest="d" * 64,
        git_revision="abc",
        git_dirty=False,
        environment_digest="e" * 64,
    )
    metrics = {"test": {"auc": {"value": 0.78, "low": 0.77, "high": 0.79}}}
    return ArtifactContents(
        contract=contract,
        feature_set=feature_set,
        engine=engine,
        background=background,
        reference=reference_distributions(
            decisions.score, decisions.features, feature_set.names
        ),
        reference_columns={n: v[:12].copy() for n, v in applications.items()},
        metrics=metrics,
        model_card=model_card(
            engine,
            contract=contract,
            feature_set=feature_set,
            metrics=metrics,
            provenance=provenance,
        ),
        provenance=provenance,
    )


@pytest.fixture
def folder(tmp_path: Path, contents: ArtifactContents) -> Path:
    path = tmp_path / "a folder with spaces" / "artifact"
    write_artifact(path, contents)
    return path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its tables, which take seconds to make."""
    import mlflow

    folder = tmp_path_factory.mktemp("mlflow store")
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.search_experiments()
    return folder / "mlflow.db"


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key that promotions of the tests are signed with."""
    project = tmp_path_factory.mktemp("keys")
    load_signer({}, project)
    return project / "conf" / "local" / "promotion_signing_key.pem"


@pytest.fixture
def mlflow_store(
    empty_store: Path,
    signing_key: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A fresh MLflow store of the test's own, in a path with a space."""
    import mlflow

    folder = tmp_path / "a store"
    folder.mkdir()
    shutil.copy(empty_store, folder)
    monkeypatch.setenv(SIGNING_KEY_FILE, str(signing_key))
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = mlflow.create_experiment("small", str(folder / "mlruns"))
    mlflow.set_experiment(experiment_id=experiment)
    yield folder
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)


@pytest.fixture
def bento_home(tmp_path: Path) -> Iterator[Path]:
    """BentoML's model store in a folder of the test's own."""
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models import ModelStore

    folder = tmp_path / "bento home"
    (folder / "models").mkdir(parents=True)
    BentoMLContainer.model_store.set(ModelStore(folder / "models"))
    yield folder
    BentoMLContainer.model_store.reset()
