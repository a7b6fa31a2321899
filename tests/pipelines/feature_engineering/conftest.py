import numpy as np
import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)

MONTHLY = ("repayment_status", "bill_amount", "payment_amount")


def column(name, role, type_="number"):
    return {"source": name, "type": type_, "role": role, "description": name}


@pytest.fixture
def contract():
    columns = {
        "loan_id": column("loan_id", "id", "string"),
        "credit_limit": column("credit_limit", "application"),
        "age_years": column("age_years", "protected"),
        "default_next_month": column("default_next_month", "target", "integer"),
    }
    for name in MONTHLY:
        for month in range(1, 7):
            columns[f"{name}_{month}"] = column(f"{name}_{month}", "history")
    return Contract.model_validate(
        {"name": "cards", "version": 1, "title": "Cards", "columns": columns}
    )


@pytest.fixture
def dated_contract(contract):
    document = contract.model_dump(mode="json")
    document["columns"]["application_date"] = column("application_date", "date", "date")
    return Contract.model_validate(document)


@pytest.fixture
def parameters():
    return FeatureEngineeringParameters.model_validate(
        {
            "feature_set": "taiwan_default",
            "split": {
                "salt": "a test",
                "shares": {
                    "train": 0.45,
                    "validation": 0.1,
                    "calibration": 0.15,
                    "test": 0.3,
                },
            },
        }
    )


@pytest.fixture
def applications():
    rng = np.random.default_rng(2)
    n = 2_000
    rows = pd.DataFrame({"loan_id": [f"L{number}" for number in range(n)]})
    rows["credit_limit"] = rng.integers(1, 50, n) * 10_000.0
    rows["age_years"] = rng.integers(21, 70, n).astype(float)
    for month in range(1, 7):
        rows[f"repayment_status_{month}"] = rng.integers(-2, 9, n).astype(float)
        rows[f"bill_amount_{month}"] = np.round(rng.normal(50_000, 50_000, n))
        rows[f"payment_amount_{month}"] = np.round(rng.gamma(1, 5_000, n))
    rows["default_next_month"] = (rng.random(n) < 0.2).astype(np.int8)
    rows["application_date"] = pd.Timestamp("2010-01-01") + pd.to_timedelta(
        rng.integers(0, 730, n), unit="D"
    )
    return rows
