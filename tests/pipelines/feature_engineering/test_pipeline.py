from pathlib import Path

import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from credit_scoring.pipelines.feature_engineering import create_pipeline

CATALOG = Path(__file__).parents[3] / "conf/base/catalog_feature_engineering.yml"
LAYERS = {"04_feature", "05_model_input", "08_reporting"}


def test_the_pipeline_makes_its_datasets_from_accepted_rows(
    applications, contract, parameters
):
    catalog = DataCatalog(
        {
            "validated_applications": MemoryDataset(applications),
            "params:contract": MemoryDataset(contract),
            "params:feature_engineering": MemoryDataset(parameters),
        }
    )
    outputs = SequentialRunner().run(create_pipeline(), catalog)
    assert set(outputs) == {"model_input", "feature_summary"}
    assert len(outputs["model_input"].load()) == len(applications)


def test_every_output_has_its_layer_in_the_catalog():
    entries = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
    assert set(entries) == create_pipeline().all_outputs()
    for entry in entries.values():
        layer = entry["metadata"]["kedro-viz"]["layer"]
        assert layer in LAYERS
        assert entry["filepath"].startswith(f"${{globals:data}}/{layer}/")
