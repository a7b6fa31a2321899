"""The shipped contract and a slice of the shipped data, as pipelines load them."""

from pathlib import Path

import pandas as pd
import pytest

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.model import Contract
from credit_scoring.contract.reading import read_applications

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def contract() -> Contract:
    return contract_from_yaml(PROJECT / "conf" / "base" / "parameters_contract.yml")


@pytest.fixture(scope="session")
def whole_table() -> pd.DataFrame:
    return read_applications(PROJECT / "data" / "01_raw" / "taiwan_credit.csv.gz")


@pytest.fixture
def raw_applications(whole_table: pd.DataFrame) -> pd.DataFrame:
    """The first 300 rows, with the digest of the file."""
    return whole_table.head(300).copy()
