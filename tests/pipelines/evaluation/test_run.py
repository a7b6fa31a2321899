"""Training and evaluation together, with the project's own catalog and parameters."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from omegaconf import OmegaConf

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.features.definition import load_feature_set
from credit_scoring.pipelines.evaluation import create_pipeline as evaluation
from credit_scoring.pipelines.evaluation.parameters import EvaluationParameters
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)
from credit_scoring.pipelines.training import create_pipeline as training
from credit_scoring.pipelines.training.parameters import (
    CandidateParameters,
    TrainingParameters,
)
from credit_scoring.pipelines.validation.nodes import ValidationParameters

CONF = Path(__file__).parents[3] / "conf"
FAMILIES = ("scorecard", "boosting")
LAYERS = {"06_models", "07_model_output", "08_reporting"}


def read(name, env="base"):
    """A file as Kedro merges it: the environment's over that of base."""
    files = [CONF / "base" / name, CONF / env / name]
    return OmegaConf.to_container(OmegaConf.merge(*map(OmegaConf.load, files)))


def parameters(env="base"):
    few = {"decision": read("parameters_decision.yml")["decision"]}
    few["decision"]["background"] = {"within_points": 20, "minimum_rows": 20}
    contract = contract_from_yaml(CONF / "base" / "parameters_contract.yml")
    return {
        # It has no date, so nothing is read of the applications themselves.
        "validated_applications": pd.DataFrame(),
        "params:contract": contract,
        "params:training": TrainingParameters(
            **read("parameters_training.yml")["training"]
        ),
        "params:evaluation": EvaluationParameters(
            **read("parameters_evaluation.yml", env)["evaluation"]
        ),
        "params:decision": DecisionParameters.model_validate(few["decision"]),
        "ingestion_summary": {"data_digest": "0" * 64},
        "params:feature_engineering.feature_set": "taiwan_default",
        "params:feature_engineering": FeatureEngineeringParameters(
            **read("parameters_feature_engineering.yml")["feature_engineering"]
        ),
        "params:validation": ValidationParameters(
            **read("parameters_validation.yml")["validation"]
        ),
        **{
            f"params:{family}": CandidateParameters.model_validate(
                read(f"parameters_{family}.yml", env)[family] | {"family": family}
            )
            for family in FAMILIES
        },
    }


@pytest.fixture(scope="module")
def model_input():
    features = load_feature_set("taiwan_default")
    random = np.random.default_rng(31)
    x = random.normal(0, 1, (4000, len(features.names)))
    risk = (x * np.array(features.directions))[:, :12].sum(axis=1)
    frame = pd.DataFrame(x, columns=list(features.names))
    frame.insert(0, "loan_id", [f"L{k}" for k in range(4000)])
    splits = ["train", "validation", "calibration", "test"]
    frame.insert(1, "split", random.choice(splits, 4000, p=[0.4, 0.2, 0.2, 0.2]))
    bad = random.random(4000) < 1 / (1 + np.exp(1.5 - 0.5 * risk))
    frame.insert(2, "bad", bad.astype("int8"))
    return frame


def project_catalog(folder):
    entries = read("catalog_training.yml") | read("catalog_evaluation.yml")
    for entry in entries.values():
        path = entry["filepath"].replace("${globals:data}", "data")
        entry["filepath"] = str(folder / path)
    return DataCatalog.from_config(entries)


@pytest.fixture(scope="module")
def folder(model_input, tmp_path_factory):
    """The data folder after both pipelines ran."""
    folder = tmp_path_factory.mktemp("a project")
    catalog = project_catalog(folder)
    for name, value in (parameters("test") | {"model_input": model_input}).items():
        catalog[name] = MemoryDataset(value)
    SequentialRunner().run(training() + evaluation(), catalog)
    return folder


def test_every_output_has_an_entry_with_its_layer(tmp_path):
    catalog = project_catalog(tmp_path)
    for name in (training() + evaluation()).all_outputs():
        dataset = catalog.get(name)
        assert dataset is not None, name
        assert dataset.metadata["kedro-viz"]["layer"] in LAYERS, name


def test_both_families_leave_the_same_files(folder):
    reports = {
        family: {
            str(path.relative_to(folder / "data/08_reporting" / family))
            for path in (folder / "data/08_reporting" / family).rglob("*.*")
        }
        for family in FAMILIES
    }
    assert reports["scorecard"] - reports["boosting"] == {"points_table.csv"}
    assert reports["boosting"] == {
        "chosen_parameters.json",
        "feature_importance.csv",
        "metrics.json",
        "plots/bins.png",
        "plots/importance.png",
        "plots/ks.png",
        "plots/reliability.png",
        "plots/roc.png",
        "plots/score_distribution.png",
        "reliability_table.csv",
        "search_trials.csv",
        "vintage_table.csv",
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_candidate_predicts_what_was_written(folder, model_input, family):
    catalog = project_catalog(folder)
    model = catalog.load(f"{family}.model")
    predictions = catalog.load(f"{family}.predictions")
    x = np.ascontiguousarray(model_input[list(model.features)].to_numpy(np.float64))
    assert model.margin(x).tobytes() == predictions["margin"].to_numpy().tobytes()
    background = catalog.load(f"{family}.background")
    assert list(background.columns) == ["loan_id", *model.features]


def test_the_comparison_shows_both_candidates(folder):
    catalog = project_catalog(folder)
    comparison = catalog.load("comparison")
    assert set(comparison["candidates"]) == set(FAMILIES)
    for measures in comparison["candidates"].values():
        auc = measures["auc"]
        assert 0.6 < auc["low"] < auc["value"] < auc["high"] < 1
    assert catalog.load("comparison_table")["measure"].tolist() == list(
        comparison["candidates"]["scorecard"]
    )


@pytest.mark.parametrize("env", ["base", "test"])
def test_the_projects_parameters_are_valid(env):
    found = parameters(env)
    assert found["params:scorecard"].root.family == "scorecard"
    assert found["params:boosting"].root.family == "boosting"
