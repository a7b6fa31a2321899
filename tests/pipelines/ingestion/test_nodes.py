import logging

import pandas as pd
import pytest
from pydantic import ValidationError

from credit_scoring.contract.model import Contract
from credit_scoring.errors import ContractError
from credit_scoring.pipelines.ingestion.nodes import (
    IngestionParameters,
    ingest_applications,
)


def test_raw_rows_come_under_the_names_of_the_contract(
    raw_applications: pd.DataFrame, contract: Contract
):
    ingested = ingest_applications(raw_applications, contract, IngestionParameters())
    applications, summary = ingested["applications"], ingested["summary"]
    assert list(applications.columns) == ["source_row", *contract.columns]
    assert applications["source_row"].tolist() == list(range(2, 302))
    assert summary == {
        "data_digest": raw_applications.attrs["sha256"],
        "rows": 300,
        "rows_in_files": 300,
        "ignored_columns": [],
        "contract": {
            "name": "taiwan_default",
            "version": 1,
            "digest": contract.digest,
        },
    }


def test_additional_columns_are_left_out_and_named(
    raw_applications: pd.DataFrame,
    contract: Contract,
    caplog: pytest.LogCaptureFixture,
):
    more = raw_applications.assign(**{f"NOTE_{n}": "x" for n in range(10)})
    with caplog.at_level(logging.WARNING):
        ingested = ingest_applications(more, contract, IngestionParameters())
    assert "NOTE_0" not in ingested["applications"]
    assert ingested["summary"]["ignored_columns"] == [f"NOTE_{n}" for n in range(10)]
    assert "10 column(s) are not in the contract and are left out" in caplog.text
    assert "NOTE_7 and 2 more" in caplog.text


def test_additional_columns_may_be_refused(
    raw_applications: pd.DataFrame, contract: Contract
):
    strict = IngestionParameters(additional_columns="refuse")
    with pytest.raises(ContractError, match=r"1 column\(s\) that the contract does"):
        ingest_applications(raw_applications.assign(NOTE="x"), contract, strict)


def test_columns_that_the_contract_leaves_out_are_not_additional(
    raw_applications: pd.DataFrame, contract: Contract
):
    said = contract.model_dump(mode="json")
    said |= {"left_out": {"X": "Free text."}, "known_after_decision": ["Y"]}
    explained = Contract.model_validate(said)
    rows = raw_applications.assign(X="x", Y="y")
    rows.attrs = raw_applications.attrs
    refuse = IngestionParameters(additional_columns="refuse")
    summary = ingest_applications(rows, explained, refuse)["summary"]
    assert summary["ignored_columns"] == ["X", "Y"]
    with pytest.raises(ContractError, match=r"1 column\(s\) that the contract"):
        ingest_applications(rows.assign(Z="z"), explained, refuse)


def test_rows_of_unknown_origin_are_refused(
    raw_applications: pd.DataFrame, contract: Contract
):
    raw_applications.attrs.clear()
    with pytest.raises(ContractError, match="the file's SHA-256 is unknown; read it"):
        ingest_applications(raw_applications, contract, IngestionParameters())


def test_missing_columns_name_the_dataset(
    raw_applications: pd.DataFrame, contract: Contract
):
    short = raw_applications.drop(columns="AGE")
    with pytest.raises(ContractError, match=r"raw_applications: 1 column\(s\) missing"):
        ingest_applications(short, contract, IngestionParameters())


def test_unknown_parameter_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        IngestionParameters.model_validate({"additional_column": "ignore"})
