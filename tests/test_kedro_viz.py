"""What Kedro-Viz shows of the project, as its page reads it."""

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.end_to_end

LAYERS = [
    "01_raw",
    "02_intermediate",
    "04_feature",
    "05_model_input",
    "06_models",
    "07_model_output",
    "08_reporting",
    "09_release",
]
PIPELINES = {
    "__default__",
    "ingestion",
    "validation",
    "feature_engineering",
    "training",
    "evaluation",
    "promotion",
    "packaging",
    "alternatives",
    "batch_scoring",
    "challenge",
    "guard",
    "history",
    "materialization",
    "monitoring",
    "outcomes",
    "replay",
    "reporting",
    "rollback",
}
PLOTS = ("bins", "importance", "ks", "reliability", "roc", "score_distribution")
TABLES = ("feature_importance", "reliability_table", "search_trials", "predictions")
FACTS = ("metrics", "model", "artifact", "judgement", "registration")


@pytest.fixture(scope="module")
def api(small_project: Any) -> Path:
    built = small_project.kedro("viz", "build", "--include-previews")
    assert built.returncode == 0
    assert "Success!" in built.stdout
    assert built.stderr == ""
    folder: Path = small_project.folder / "build" / "api"
    return folder


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


@pytest.fixture(scope="module")
def previews(api: Path) -> dict[str, tuple[str | None, Any]]:
    """Dataset -> the kind of its preview, and the preview."""
    shown = {}
    for node in read(api / "main")["nodes"]:
        if node["type"] == "data":
            details = read(api / "nodes" / node["id"])
            shown[node["name"]] = (details.get("preview_type"), details.get("preview"))
    return shown


def test_each_pipeline_is_there_with_its_nodes(api: Path) -> None:
    assert {path.name for path in (api / "pipelines").iterdir()} == PIPELINES
    for path in (api / "pipelines").iterdir():
        assert [n for n in read(path)["nodes"] if n["type"] == "task"], path.name


def test_the_layers_of_a_whole_run_are_drawn_in_order(api: Path) -> None:
    assert read(api / "main")["layers"] == LAYERS


@pytest.mark.parametrize("pipeline", sorted(PIPELINES))
def test_each_pipeline_has_its_layers(api: Path, pipeline: str) -> None:
    shown = read(api / "pipelines" / pipeline)
    # Kedro-Viz lists none where they are in a circle.
    assert {node.get("layer") for node in shown["nodes"]} - {None} <= {*shown["layers"]}


def test_nodes_can_be_filtered_by_pipeline_and_family(api: Path) -> None:
    tags = {tag["id"] for tag in read(api / "main")["tags"]}
    assert tags == PIPELINES - {"__default__"} | {"scorecard", "boosting"}


def test_each_family_can_be_folded(api: Path) -> None:
    folded = read(api / "main")["modular_pipelines"]
    assert set(folded) == {"__root__", "scorecard", "boosting"}


@pytest.mark.parametrize("family", ["scorecard", "boosting"])
def test_plots_tables_and_figures_of_a_candidate_are_previewed(
    previews: dict[str, tuple[str | None, Any]], family: str
) -> None:
    for name in PLOTS:
        kind, image = previews[f"{family}.plots_{name}"]
        assert kind == "ImagePreview"
        # The signature of a PNG, in base64.
        assert image.startswith("iVBORw0KGgo")
    for name in TABLES:
        kind, table = previews[f"{family}.{name}"]
        assert kind == "TablePreview"
        assert table["data"]
    for name in FACTS:
        kind, text = previews[f"{family}.{name}"]
        assert kind == "JSONPreview"
        assert json.loads(text)


def test_what_a_run_came_to_is_previewed(
    previews: dict[str, tuple[str | None, Any]],
) -> None:
    for name in ("validation_summary", "comparison", "promotion_record", "release"):
        kind, text = previews[name]
        assert kind == "JSONPreview"
        assert json.loads(text)
    assert previews["comparison_table"][1]["columns"][0] == "measure"
    assert previews["raw_applications"][1]["data"]
