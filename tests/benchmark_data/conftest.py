from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from credit_scoring.benchmark_data.smoothing import Source, prepare_source
from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.model import Contract
from credit_scoring.contract.reading import read_applications, select_columns
from credit_scoring.contract.rows import check_rows

PROJECT = Path(__file__).parents[2]
SHIPPED = PROJECT / "data/01_raw/taiwan_credit.csv.gz"


@pytest.fixture(scope="session")
def contract() -> Contract:
    return contract_from_yaml(PROJECT / "conf/base/parameters_contract.yml")


@pytest.fixture(scope="session")
def validated(contract: Contract) -> pd.DataFrame:
    """The shipped accounts, as validation gives them."""
    text = read_applications(SHIPPED)
    applications, _ = select_columns(text, contract, name="shipped")
    return check_rows(applications, contract).accepted


@pytest.fixture(scope="session")
def real(validated: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(validated, preserve_index=False)


@pytest.fixture(scope="session")
def source(real: pa.Table, contract: Contract) -> Source:
    return prepare_source(real, contract, spread=0.05)
