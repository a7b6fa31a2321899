"""Compiled trees that do not agree with XGBoost: it takes their place, and says so."""

import asyncio
import json
import logging
import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import xgboost
from prometheus_client import CollectorRegistry

from credit_scoring.boosting.conversion import ensemble_from_booster
from credit_scoring.boosting.native import NativeEnsemble
from credit_scoring.decision.engine import DecisionEngine
from credit_scoring.digests import sha256_of_file
from credit_scoring.errors import ArtifactError
from credit_scoring.registry.artifact import load_artifact
from credit_scoring.registry.artifact_writing import ArtifactContents, write_artifact
from credit_scoring.serving.assembly import Models, load_models, scoring_app
from credit_scoring.serving.metrics import ServiceMetrics
from credit_scoring.serving.models import ModelFolder
from credit_scoring.serving.settings import Settings

_spec = spec_from_file_location(
    "fixtures_of_the_registry", Path(__file__).parents[1] / "registry" / "conftest.py"
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
linear_family = _registry.linear_family
policy = _registry.policy


@pytest.fixture
def features(engine: DecisionEngine, applications: dict[str, Any]) -> Any:
    return engine.decide(applications, explain=False).features


@pytest.fixture
def booster(features: Any) -> xgboost.Booster:
    risk = features[:, 0] + features[:, 1]
    matrix = xgboost.DMatrix(features, (risk > np.median(risk)).astype(float))
    settings = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}
    return xgboost.train(settings, matrix, num_boost_round=20)


@pytest.fixture
def folder(
    tmp_path: Path,
    contents: ArtifactContents,
    engine: DecisionEngine,
    booster: xgboost.Booster,
    features: Any,
) -> Path:
    """The artifact of a boosting model that XGBoost agrees with."""
    made = ensemble_from_booster(booster, engine.features.names, [features])
    background = features[:50]
    boosting = DecisionEngine(
        made.with_background(background),
        engine.grading,
        features=engine.features,
        groups=engine.groups,
        columns=engine.columns,
    )
    path = tmp_path / "artifact"
    write_artifact(path, replace(contents, engine=boosting, background=background))
    return path


def alter(folder: Path, name: str, array: str) -> None:
    """Change an array of the model by a little, and seal the artifact anew."""
    path = folder / "model" / name
    with np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
    arrays[array] = arrays[array] * np.float32(1.00001)
    np.savez(path, **arrays)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][f"model/{name}"] = sha256_of_file(path)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def served(folder: Path) -> Models:
    return load_models(ModelFolder(folder, "credit_scoring", "1"), None)


def ask(models: Models, registry: CollectorRegistry, body: Any) -> Any:
    app = scoring_app(models, Settings(), ServiceMetrics(registry))

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as c:
            return await c.post("/predict?reasons=true", json=body)

    return asyncio.run(send()).json()


def test_compiled_trees_that_agree_are_used(
    folder: Path, registry: CollectorRegistry
) -> None:
    loaded = load_artifact(folder)
    assert loaded.fallback == ""
    assert not isinstance(loaded.model, NativeEnsemble)
    models = served(folder)
    assert models.fallbacks == ()


def test_the_service_answers_with_xgboosts_margins_and_says_so(  # noqa: PLR0913, PLR0917
    folder: Path,
    booster: xgboost.Booster,
    applications: dict[str, Any],
    features: Any,
    registry: CollectorRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Of those that no rule declines, one that the model speaks against.
    row = int(np.argmax(applications["late"] == 2))
    body = {"loan_id": "L-1", **{n: float(v[row]) for n, v in applications.items()}}
    before = ask(served(folder), CollectorRegistry(), body)
    alter(folder, "trees.npz", "value")
    with caplog.at_level(logging.ERROR):
        models = served(folder)
    assert "XGBoost computes the margins of the champion" in caplog.text
    assert "margin of the 12 reference applications are not reproduced" in caplog.text
    model = models.champion.engine.model
    expected = booster.inplace_predict(features, predict_type="margin")
    assert (model.margin(features) == expected).all()
    answer = ask(models, registry, body)
    for name in ("pd", "score", "decision", "reasons"):
        assert answer[name] == before[name]
    assert answer["reasons"]
    counted = registry.get_sample_value(
        "credit_scoring_model_fallbacks_total", {"role": "champion"}
    )
    assert counted == 1


def test_reasons_that_are_not_exact_either_stop_the_start(folder: Path) -> None:
    alter(folder, "trees.npz", "value")
    alter(folder, "shapley.npz", "table")
    with pytest.raises(ArtifactError, match="contributions of the 12 reference appli"):
        served(folder)


def test_another_fault_has_no_fallback(folder: Path) -> None:
    alter(folder, "shapley.npz", "table")
    with pytest.raises(ArtifactError, match="contributions of the 12 reference appli"):
        served(folder)


def test_a_model_made_where_trees_disagreed_is_served_through_xgboost(
    folder: Path,
) -> None:
    path = folder / "model" / "ensemble.json"
    described = json.loads(path.read_bytes())
    path.write_text(json.dumps({**described, "margins": "xgboost"}))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["model/ensemble.json"] = sha256_of_file(path)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "did not agree when the model was made" in load_artifact(folder).fallback
    assert served(folder).fallbacks == ("champion",)


def test_without_xgboost_the_service_does_not_start_and_names_the_remedy(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(folder, "trees.npz", "value")
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ArtifactError, match=r"XGBoost is not installed.*'fallback'"):
        served(folder)
