from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset, ParquetDataset

from credit_scoring.contract.model import Contract
from credit_scoring.contract.reading import select_columns
from credit_scoring.errors import ContractError
from credit_scoring.pipelines.validation import create_pipeline
from credit_scoring.pipelines.validation.nodes import ValidationParameters

CONF = Path(__file__).parents[3] / "conf" / "base"


@pytest.fixture
def catalog(
    raw_applications: pd.DataFrame, contract: Contract, tmp_path: Path
) -> DataCatalog:
    frames = ["accepted_applications", "validated_applications"]
    limits = ValidationParameters(
        maximum_rejected_share=0.02,
        minimum_rows=200,
        minimum_rows_of_each_class=10,
        rejected_file="rejected.csv",
    )
    ingested, _ = select_columns(raw_applications, contract)
    return DataCatalog(
        {
            "ingested_applications": MemoryDataset(ingested),
            "ingestion_summary": MemoryDataset(
                {"data_digest": "abc", "rows_in_files": 300}
            ),
            "params:contract": MemoryDataset(contract),
            "params:validation": MemoryDataset(limits),
            **{n: ParquetDataset(filepath=str(tmp_path / n)) for n in frames},
            "rejected_applications": ParquetDataset(filepath=str(tmp_path / "r")),
            "rejected_applications_csv": CSVDataset(filepath=str(tmp_path / "r.csv")),
            "validation_summary": JSONDataset(filepath=str(tmp_path / "s.json")),
        }
    )


def spoil(catalog: DataCatalog, rows: int) -> None:
    frame = catalog.load("ingested_applications")
    frame.loc[: rows - 1, "age_years"] = "7"
    catalog.save("ingested_applications", frame)


def test_pipeline_runs_on_a_slice_and_types_survive_the_files(catalog: DataCatalog):
    spoil(catalog, 2)
    SequentialRunner().run(create_pipeline(), catalog)
    validated = catalog.load("validated_applications")
    assert len(validated) == 298
    assert validated["loan_id"].dtype == "str"
    assert validated["age_years"].dtype == np.float64
    assert validated["default_next_month"].dtype == np.int8
    rejected = catalog.load("rejected_applications")
    assert list(rejected.columns) == [
        "source_row",
        "loan_id",
        "column",
        "value",
        "reason",
    ]
    assert rejected["value"].tolist() == ["7", "7"]
    assert len(catalog.load("rejected_applications_csv")) == 2
    assert catalog.load("validation_summary")["rejected_rows"] == 2


def test_run_that_stops_has_saved_the_rejected_rows_and_nothing_to_train_on(
    catalog: DataCatalog,
):
    spoil(catalog, 30)
    with pytest.raises(ContractError, match="30 of 300 rows"):
        SequentialRunner().run(create_pipeline(), catalog)
    assert len(catalog.load("rejected_applications")) == 30
    assert catalog.load("validation_summary")["rejected_share"] == 0.1
    assert not catalog.exists("validated_applications")


def conf(name: str) -> Any:
    return yaml.safe_load((CONF / f"{name}.yml").read_text(encoding="utf-8"))


def test_shipped_parameters_are_valid_and_point_to_the_catalog():
    shipped = conf("parameters_validation")["validation"]
    limits = ValidationParameters.model_validate(shipped)
    entry = conf("catalog_validation")["rejected_applications_csv"]
    assert limits.rejected_file == entry["filepath"]


@pytest.mark.parametrize("name", ["ingestion", "validation"])
def test_catalog_entries_carry_the_layer_of_their_folder(name: str):
    for dataset, entry in conf(f"catalog_{name}").items():
        layer = entry["metadata"]["kedro-viz"]["layer"]
        assert entry["filepath"].split("/")[1] == layer, dataset
