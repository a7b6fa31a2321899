from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from mlflow.tracking import MlflowClient

from credit_scoring.datasets.artifacts import ArtifactDataset
from credit_scoring.errors import PromotionError
from credit_scoring.pipelines.evaluation import create_pipeline as evaluation
from credit_scoring.pipelines.packaging.nodes import import_models
from credit_scoring.pipelines.promotion import create_pipeline
from credit_scoring.pipelines.training import create_pipeline as training
from credit_scoring.registry.mlflow_registry import MlflowRegistry

TABLES_LOGGED = (
    "vintage_table",
    "feature_importance",
    "points_table",
    "reliability_table",
    "search_trials",
)

pytestmark = pytest.mark.usefixtures("mlflow_store")


def run(inputs: dict[str, Any], folder: Path) -> dict[str, Any]:
    catalog = DataCatalog(
        {
            name: MemoryDataset(value, copy_mode="assign")
            for name, value in inputs.items()
        }
    )
    for family in ("scorecard", "boosting"):
        catalog[f"{family}.artifact"] = ArtifactDataset(
            filepath=str(folder / family / "artifact")
        )
    record = JSONDataset(filepath=str(folder / "promotion_record.json"))
    catalog["promotion_record"] = record
    catalog["promotion_page"] = MemoryDataset()
    catalog["promotion_history"] = MemoryDataset()
    SequentialRunner().run(create_pipeline(), catalog)
    written: dict[str, Any] = record.load()
    return written


@pytest.fixture
def judged(inputs: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    return run(inputs, tmp_path)


def test_the_pipelines_have_one_shape_for_both_families() -> None:
    names = {node.name for node in create_pipeline().nodes}
    for verb in ("build_artifact", "register_candidate", "judge_candidate"):
        assert {f"scorecard.{verb}", f"boosting.{verb}"} <= names


@pytest.mark.parametrize("family", ["scorecard", "boosting"])
def test_a_candidate_is_registered_after_all_that_is_reported_of_it(
    family: str,
) -> None:
    made = (training() + evaluation()).only_nodes_with_tags(family).all_outputs()
    tables = {
        "feature_importance",
        "points_table",
        "reliability_table",
        "vintage_table",
    }
    reported = {
        name
        for name in made
        if name.startswith(f"{family}.plots_")
        or name.partition(".")[2] in {*tables, "metrics", "search_trials"}
    }
    nodes = {node.name: node for node in create_pipeline().nodes}
    assert set(nodes[f"{family}.register_candidate"].inputs) == reported | {
        f"{family}.artifact",
        f"{family}.chosen_parameters",
        "params:promotion",
    }


def test_plots_and_tables_are_in_the_candidates_run(judged: dict[str, Any]) -> None:
    client = MlflowClient()
    run_id = judged["candidates"][0]["run_id"]
    files = {file.path for file in client.list_artifacts(run_id, "reports")}
    assert files == {"reports/plots", *(f"reports/{n}.csv" for n in TABLES_LOGGED)}
    plots = [file.path for file in client.list_artifacts(run_id, "reports/plots")]
    assert "reports/plots/roc.png" in plots
    assert len(plots) == 6


def test_on_a_fresh_registry_both_are_registered_and_the_better_is_champion(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    inputs["scorecard.model"] = replace(inputs["boosting.model"], weights=(1.0, 0.5))
    record = run(inputs, tmp_path)
    assert [candidate["passed"] for candidate in record["candidates"]] == [True, True]
    best = max(record["candidates"], key=lambda candidate: candidate["auc"])
    registry = MlflowRegistry()
    champion, challenger = registry.holder("champion"), registry.holder("challenger")
    assert champion is not None
    assert challenger is not None
    assert champion.version == best["version"] == record["champion"]["version"]
    assert {champion.version, challenger.version} == {1, 2}


def test_the_same_run_again_registers_and_changes_nothing(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    first = run(inputs, tmp_path)
    second = run(inputs, tmp_path)
    assert len(MlflowRegistry().versions()) == 2
    assert second["champion"] == first["champion"] == second["before"]["champion"]
    assert not any(candidate["new"] for candidate in second["candidates"])


def test_a_candidate_below_the_gates_is_registered_without_a_role(
    judged: dict[str, Any],
) -> None:
    scorecard, boosting = judged["candidates"]
    assert (scorecard["passed"], boosting["passed"]) == (False, True)
    gate = scorecard["gates"][0]
    assert gate["name"] == "minimum_auc"
    assert "too low" in gate["why"]
    assert judged["champion"]["version"] == boosting["version"]


def test_without_anybody_who_passes_the_record_is_written_and_the_run_stops(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    promotion = inputs["params:promotion"]
    gates = promotion.gates.model_copy(update={"minimum_auc": 0.99})
    inputs["params:promotion"] = promotion.model_copy(update={"gates": gates})
    with pytest.raises(PromotionError, match=r"minimum_auc \(0\.\d+ is .* too low"):
        run(inputs, tmp_path)
    record = JSONDataset(filepath=str(tmp_path / "promotion_record.json")).load()
    assert record["champion"] is None
    assert MlflowRegistry().holder("champion") is None
    assert len(MlflowRegistry().versions()) == 2


def test_a_replaced_champion_is_challenger(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    before = run(inputs, tmp_path)
    inputs["boosting.model"] = replace(inputs["boosting.model"], weights=(1.4, 0.9))
    after = run(inputs, tmp_path)
    assert after["champion"]["version"] == 3
    assert after["challenger"] == before["champion"]


@pytest.mark.usefixtures("bento_home")
def test_what_was_promoted_can_be_packed(judged: dict[str, Any]) -> None:
    packed = import_models(judged)
    champion = judged["champion"]
    head = champion["artifact_digest"][:8]
    assert packed["models"] == {
        "champion": f"credit_scoring:v{champion['version']}-{head}",
        "challenger": None,
    }
    version = packed["versions"]["champion"]
    assert version["data_digest"] == "d" * 64
    assert version["run_id"] == champion["run_id"]
    assert len(version["policy_version"]) == 16
