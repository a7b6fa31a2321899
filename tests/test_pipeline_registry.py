import re
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.project import find_pipelines, pipelines
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Pipeline

from credit_scoring.pipeline_registry import DEFAULT, register_pipelines

PROJECT = Path(__file__).parents[1]
FAMILIES = ("scorecard", "boosting")
VALIDATED = Path("data/02_intermediate/validated_applications.parquet")


@pytest.fixture(scope="module")
def registered() -> dict[str, Pipeline]:
    bootstrap_project(PROJECT)
    pipelines.set_requested(None)
    return register_pipelines()


def test_the_default_run_is_the_eight_pipelines(
    registered: dict[str, Pipeline],
) -> None:
    assert DEFAULT == (
        "ingestion",
        "validation",
        "feature_engineering",
        "training",
        "evaluation",
        "promotion",
        "reporting",
        "packaging",
    )
    whole = registered["__default__"]
    assert set(whole.nodes) == {n for name in DEFAULT for n in registered[name].nodes}
    assert whole.inputs() - {i for i in whole.inputs() if i.startswith("params:")} == {
        "earlier_alternatives",
        "raw_applications",
        "service_folder",
    }


def test_each_pipeline_reads_only_what_those_before_it_made(
    registered: dict[str, Pipeline],
) -> None:
    there = {"earlier_alternatives", "raw_applications", "service_folder"}
    for name in DEFAULT:
        read = {i for i in registered[name].inputs() if not i.startswith("params:")}
        assert read <= there, name
        there |= registered[name].all_outputs()


def test_a_nodes_tags_are_its_pipeline_and_its_family(
    registered: dict[str, Pipeline],
) -> None:
    for name in DEFAULT:
        for node in registered[name].nodes:
            family = {node.namespace} - {None}
            assert node.tags == {name} | family, node.name


def test_a_folder_of_the_pipelines_is_a_pipeline(
    registered: dict[str, Pipeline],
) -> None:
    folder = PROJECT / "src" / "credit_scoring" / "pipelines"
    names = {path.parent.name for path in folder.glob("*/pipeline.py")}
    assert names | {"__default__"} == set(registered)
    assert find_pipelines(raise_errors=True).keys() >= names


def test_each_pipeline_is_explained(registered: dict[str, Pipeline]) -> None:
    page = (PROJECT / "docs/reference/pipelines.md").read_text(encoding="utf-8")
    lost = [
        name
        for name in registered
        if name != "__default__" and f"\n| `{name}` | " not in page
    ]
    assert lost == []


@pytest.mark.end_to_end
def test_a_whole_run_says_what_it_did_and_warns_of_nothing(
    small_project: Any,
) -> None:
    said = (small_project.folder / "run.txt").read_text()
    assert "] packaging: pack release" in said
    assert re.search(r"^\[(\d+)/\1\] ", said, re.MULTILINE), "not all was run"
    assert "Champion" in said
    assert "Bento       credit_scoring:" in said
    assert "Warning" not in said
    assert "ERROR" not in said


@pytest.mark.end_to_end
def test_a_pipeline_can_be_run_by_name(own_project: Any) -> None:
    run = own_project.kedro("run", "--pipelines", "validation,feature_engineering")
    assert run.returncode == 0, run.stderr
    assert sorted(nodes_in(run.stdout)) == [
        "feature engineering: assign splits",
        "feature engineering: compute features",
        "feature engineering: join model input",
        "feature engineering: measure single features",
        "feature engineering: summarise features",
        "validation: require acceptance",
        "validation: separate rejected rows",
    ]


@pytest.mark.end_to_end
def test_one_family_can_be_run_from_a_node_on(own_project: Any) -> None:
    part = ("--tags", "boosting", "--from-nodes", "boosting.measure_candidate")
    run = own_project.kedro("run", *part, "--to-nodes", "boosting.draw_roc")
    assert run.returncode == 0, run.stderr
    assert nodes_in(run.stdout) == ["boosting: measure candidate", "boosting: draw roc"]


def nodes_in(said: str) -> list[str]:
    lines = [line for line in said.splitlines() if line.startswith("[")]
    return [line.partition("] ")[2].rsplit(maxsplit=2)[0].rstrip() for line in lines]
