from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.float64]]

SHIPPED = Path(__file__).parents[2] / "data/01_raw/taiwan_credit.csv.gz"
MONTHS = range(1, 7)


def monthly(bills: list[float], payments: list[float], statuses: list[float]) -> dict:
    """Columns of six months, the newest first."""
    columns = {}
    for month in MONTHS:
        columns[f"bill_amount_{month}"] = bills[month - 1]
        columns[f"payment_amount_{month}"] = payments[month - 1]
        columns[f"repayment_status_{month}"] = statuses[month - 1]
    return columns


@pytest.fixture
def account() -> Columns:
    """One account, whose features the tests work out by hand."""
    values = {
        "credit_limit": 100_000,
        **monthly(
            bills=[50_000, 40_000, 120_000, 0, -1_000, 20_000],
            payments=[10_000, 0, 30_000, 5_000, 2_000, 4_000],
            statuses=[2, 0, -1, 3, -2, 1],
        ),
    }
    return {name: np.array([value], dtype=np.float64) for name, value in values.items()}


@pytest.fixture
def accounts() -> Columns:
    """Accounts at random, as many odd ones as usual ones."""
    rng = np.random.default_rng(20050901)
    n = 3_125
    columns = {"credit_limit": rng.integers(1, 100, n) * 10_000.0}
    for month in MONTHS:
        bill = rng.normal(0.4, 0.5, n) * columns["credit_limit"]
        bill[rng.random(n) < 0.2] = 0
        payment = np.maximum(rng.normal(0.1, 0.3, n), 0) * columns["credit_limit"]
        columns[f"bill_amount_{month}"] = np.round(bill)
        columns[f"payment_amount_{month}"] = np.round(payment)
        columns[f"repayment_status_{month}"] = rng.integers(-2, 9, n).astype(float)
    return columns


@pytest.fixture(scope="session")
def shipped() -> pd.DataFrame:
    """The shipped accounts under the names that the features read."""
    rows = pd.read_csv(SHIPPED, encoding="utf-8-sig")
    status = ["PAY_0", *(f"PAY_{month}" for month in range(2, 7))]
    renamed = {"LIMIT_BAL": "credit_limit", "DEFAULT": "bad"}
    for month in MONTHS:
        renamed[status[month - 1]] = f"repayment_status_{month}"
        renamed[f"BILL_AMT{month}"] = f"bill_amount_{month}"
        renamed[f"PAY_AMT{month}"] = f"payment_amount_{month}"
    return rows.rename(columns=renamed)[list(renamed.values())].astype(np.float64)
