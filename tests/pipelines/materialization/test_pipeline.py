"""The pipeline over its own catalog, and its place beside the others."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner

from credit_scoring.contract.model import Contract
from credit_scoring.contract.rows import check_rows
from credit_scoring.pipeline_registry import DEFAULT
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)
from credit_scoring.pipelines.materialization import create_pipeline
from credit_scoring.pipelines.materialization.nodes import MaterializationParameters
from credit_scoring.serving.local_redis import local_redis

CONF = Path(__file__).parents[3] / "conf" / "base"


def parameters(name: str) -> Any:
    text = (CONF / f"parameters_{name}.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)[name]


def test_accepted_rows_reach_the_store(
    raw_applications: pd.DataFrame,
    contract: Contract,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources = {column.source: name for name, column in contract.columns.items()}
    rows = raw_applications.rename(columns=sources)
    rows["source_row"] = range(2, len(rows) + 2)
    folder = tmp_path / "data" / "02_intermediate"
    folder.mkdir(parents=True)
    check_rows(rows, contract).accepted.to_parquet(
        folder / "validated_applications.parquet"
    )
    text = (CONF / "catalog_materialization.yml").read_text()
    entries = yaml.safe_load(text.replace("${globals:data}", "data"))
    monkeypatch.chdir(tmp_path)
    catalog = DataCatalog.from_config(entries)
    catalog["params:contract"] = contract
    catalog["params:feature_engineering"] = FeatureEngineeringParameters.model_validate(
        parameters("feature_engineering")
    )
    catalog["params:materialization"] = MaterializationParameters.model_validate(
        parameters("materialization")
    )
    with local_redis() as url:
        monkeypatch.setenv("CREDIT_SCORING_REDIS_URL", url)
        SequentialRunner().run(create_pipeline(), catalog)
    summary = catalog["materialization_summary"].load()
    assert summary["rows"] == len(rows)
    assert summary["value_bytes"] == 76


def test_it_is_no_part_of_the_default_run() -> None:
    assert "materialization" not in DEFAULT


def test_every_dataset_has_its_layer_in_the_catalog() -> None:
    entries = yaml.safe_load((CONF / "catalog_materialization.yml").read_text())
    named = {
        name for name in create_pipeline().datasets() if not name.startswith("params:")
    }
    assert set(entries) == named
    assert all(entry["metadata"]["kedro-viz"]["layer"] for entry in entries.values())
