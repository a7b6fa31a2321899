from pathlib import Path

import pandas as pd
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from credit_scoring.contract.model import Contract
from credit_scoring.pipelines.ingestion import create_pipeline
from credit_scoring.pipelines.ingestion.nodes import IngestionParameters


def test_pipeline_runs_on_a_slice(
    raw_applications: pd.DataFrame, contract: Contract, tmp_path: Path
):
    catalog = DataCatalog(
        {
            "raw_applications": MemoryDataset(raw_applications),
            "params:contract": MemoryDataset(contract),
            "params:ingestion": MemoryDataset(IngestionParameters()),
            "ingested_applications": MemoryDataset(),
            "ingestion_summary": MemoryDataset(),
        }
    )
    SequentialRunner().run(create_pipeline(), catalog)
    assert len(catalog.load("ingested_applications")) == 300
    summary = catalog.load("ingestion_summary")
    assert summary["data_digest"] == raw_applications.attrs["sha256"]
