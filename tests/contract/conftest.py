"""The shipped contract, one that has every kind of column, and real rows."""

from pathlib import Path

import pandas as pd
import pytest

from credit_scoring.contract.loading import contract_from_mapping, contract_from_yaml
from credit_scoring.contract.model import Contract
from credit_scoring.contract.reading import read_applications, select_columns

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def raw_file() -> Path:
    return PROJECT / "data" / "01_raw" / "taiwan_credit.csv.gz"


@pytest.fixture(scope="session")
def contract_file() -> Path:
    return PROJECT / "conf" / "base" / "parameters_contract.yml"


@pytest.fixture(scope="session")
def contract(contract_file: Path) -> Contract:
    return contract_from_yaml(contract_file)


@pytest.fixture(scope="session")
def real_table(raw_file: Path) -> pd.DataFrame:
    return read_applications(raw_file)


@pytest.fixture(scope="session")
def real_applications(real_table: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    return select_columns(real_table, contract)[0]


@pytest.fixture
def applications(real_applications: pd.DataFrame) -> pd.DataFrame:
    """Ten real rows as text, for a test to spoil."""
    return real_applications.head(10).copy()


@pytest.fixture(scope="session")
def varied_contract() -> Contract:
    """A contract with every kind of column that the shipped one does not have."""
    return contract_from_mapping(
        {
            "name": "varied",
            "version": 3,
            "title": "Every kind of column",
            "columns": {
                "loan_id": {
                    "source": "Id",
                    "type": "string",
                    "role": "id",
                    "description": "Any text.",
                    "example": "x y",
                },
                "income_monthly": {
                    "source": "Income",
                    "type": "number",
                    "role": "application",
                    "description": "Missing where unknown, or -999.",
                    "unit": "EUR",
                    "minimum": 0,
                    "nullable": True,
                    "sentinels": [-999],
                    "example": 2500.5,
                },
                "years_employed": {
                    "source": "Years",
                    "type": "integer",
                    "role": "application",
                    "description": "99 stands for more than 40.",
                    "maximum": 40,
                    "recode": {99: 40},
                    "recode_reason": "99 is the bank's code for more than 40.",
                    "example": 4,
                },
                "home": {
                    "source": "Home",
                    "type": "string",
                    "role": "application",
                    "description": "Housing.",
                    "categories": {0: "RENT", 1: "OWN", 5: "OTHER | none"},
                    "example": "RENT",
                },
                "purpose": {
                    "source": "Purpose",
                    "type": "integer",
                    "role": "application",
                    "description": "Codes with gaps.",
                    "categories": {1: "car", 4: "house", 9: "other"},
                    "nullable": True,
                    "example": 4,
                },
                "first_credit_on": {
                    "source": "First",
                    "type": "date",
                    "role": "history",
                    "description": "Date of the first credit.",
                    "nullable": True,
                    "example": "1999-12-31",
                },
                "application_date": {
                    "source": "Date",
                    "type": "date",
                    "role": "date",
                    "description": "Date of the application.",
                    "example": "2010-02-28",
                },
                "bad_within_year": {
                    "source": "Bad",
                    "type": "integer",
                    "role": "target",
                    "description": "Outcome.",
                },
            },
        }
    )
