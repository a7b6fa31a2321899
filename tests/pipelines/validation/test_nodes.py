import logging
from typing import Any

import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.contract.reading import select_columns
from credit_scoring.errors import ContractError
from credit_scoring.pipelines.validation.nodes import (
    ValidationParameters,
    require_acceptance,
    separate_rejected_rows,
)

ORIGIN = {"data_digest": "abc", "rows_in_files": 9_000}


def parameters(**changes: Any) -> ValidationParameters:
    return ValidationParameters.model_validate(
        {
            "maximum_rejected_share": 0.02,
            "minimum_rows": 200,
            "minimum_rows_of_each_class": 10,
            "rejected_file": "data/rejected.csv",
        }
        | changes
    )


@pytest.fixture
def ingested(raw_applications: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    return select_columns(raw_applications, contract)[0]


def validate(
    ingested: pd.DataFrame, contract: Contract, limits: ValidationParameters
) -> tuple[pd.DataFrame, dict[str, Any]]:
    origin = ORIGIN
    separated = separate_rejected_rows(ingested, origin, contract, limits)
    accepted, summary = separated["accepted"], separated["summary"]
    return require_acceptance(accepted, summary, contract, limits), summary


def test_right_rows_pass_with_their_counts(ingested: pd.DataFrame, contract: Contract):
    validated, summary = validate(ingested, contract, parameters())
    bad = int((ingested["default_next_month"] == "1").sum())
    assert len(validated) == 300
    assert summary == {
        "contract": {
            "name": "taiwan_default",
            "version": 1,
            "digest": contract.digest,
        },
        "data_digest": "abc",
        "rows": 300,
        "rows_in_files": 9_000,
        "accepted_rows": 300,
        "rejected_rows": 0,
        "rejected_share": 0.0,
        "maximum_rejected_share": 0.02,
        "rejected_cells": 0,
        "rejected_cells_by_reason": [],
        "set_aside_rows": 0,
        "set_aside_rows_by_reason": [],
        "rows_by_class": {"0": 300 - bad, "1": bad},
        "bad_rate": bad / 300,
        "missing_cells": {},
        "recoded_cells": {
            "education": {"0": 0, "5": 2, "6": 0},
            "marriage": {"0": 1},
        },
    }


def test_few_rejected_rows_are_left_out_listed_and_counted(
    ingested: pd.DataFrame, contract: Contract, caplog: pytest.LogCaptureFixture
):
    ingested.loc[[0, 1], "age_years"] = "7"
    ingested.loc[1, "sex"] = "x"
    with caplog.at_level(logging.WARNING):
        separated = separate_rejected_rows(ingested, ORIGIN, contract, parameters())
    assert separated["rejected"]["source_row"].tolist() == [2, 3, 3]
    assert separated["rejected_text"].equals(separated["rejected"])
    summary = separated["summary"]
    assert summary["accepted_rows"] == 298
    assert summary["rejected_rows"] == 2
    assert summary["rejected_share"] == 2 / 300
    assert summary["rejected_cells_by_reason"] == [
        {
            "column": "age_years",
            "reason": "is below the minimum of 18 years",
            "cells": 2,
        },
        {"column": "sex", "reason": "is not a number", "cells": 1},
    ]
    assert "2 of 300 rows rejected" in caplog.text
    assert "data/rejected.csv" in caplog.text


def test_too_large_a_rejected_share_stops_with_reasons_and_place(
    ingested: pd.DataFrame, contract: Contract
):
    ingested.loc[:8, "age_years"] = "7"
    ingested.loc[:2, "sex"] = None
    with pytest.raises(ContractError) as error:
        validate(ingested, contract, parameters())
    assert str(error.value) == (
        "ingested_applications: 9 of 300 rows (3.00%) break the contract; at most "
        "2.00% may. Rejected cells: age_years is below the minimum of 18 years: 9; "
        "sex is missing: 3. Every rejected row stands with its reasons in "
        "data/rejected.csv (dataset rejected_applications): correct the data or the "
        "contract and run from the start, or change the limits under validation in "
        "parameters_validation.yml"
    )


def test_share_at_the_limit_passes(ingested: pd.DataFrame, contract: Contract):
    ingested.loc[:5, "age_years"] = "7"
    validated, _ = validate(ingested, contract, parameters())
    assert len(validated) == 294


def test_many_reasons_make_a_short_message(ingested: pd.DataFrame, contract: Contract):
    ingested[[n for n in contract.columns if "amount" in n]] = "x"
    with pytest.raises(ContractError, match="and 4 more reasons") as error:
        validate(ingested, contract, parameters())
    assert len(str(error.value)) < 1000


def test_too_few_rows_stop(ingested: pd.DataFrame, contract: Contract):
    message = "300 of 300 rows are accepted; at least 301 are needed"
    with pytest.raises(ContractError, match=message):
        validate(ingested, contract, parameters(minimum_rows=301))


@pytest.mark.parametrize(("label", "name"), [("0", "bad"), ("1", "good")])
def test_missing_class_stops(
    ingested: pd.DataFrame, contract: Contract, label: str, name: str
):
    ingested["default_next_month"] = label
    message = f"0 of 300 accepted rows are {name}; at least 10 are needed"
    with pytest.raises(ContractError, match=message):
        validate(ingested, contract, parameters())


def test_no_accepted_row_is_still_summarised(
    ingested: pd.DataFrame, contract: Contract
):
    ingested["sex"] = "7"
    limits = parameters(maximum_rejected_share=1)
    separated = separate_rejected_rows(ingested, ORIGIN, contract, limits)
    assert separated["summary"]["bad_rate"] is None
    with pytest.raises(ContractError, match="0 of 300 rows are accepted"):
        require_acceptance(
            separated["accepted"], separated["summary"], contract, limits
        )


def test_rows_that_do_not_fit_the_schema_stop(
    ingested: pd.DataFrame, contract: Contract
):
    validated, summary = validate(ingested, contract, parameters())
    with pytest.raises(ContractError, match="do not fit the schema taiwan_default_v1"):
        require_acceptance(
            validated.assign(age_years=1.0), summary, contract, parameters()
        )
