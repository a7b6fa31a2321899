import subprocess
import sys

import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.contract.rows import check_rows
from credit_scoring.contract.schemas import applications_schema, check_schema
from credit_scoring.errors import ContractError


@pytest.fixture
def accepted(applications: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    return check_rows(applications, contract).accepted


def test_accepted_real_rows_fit_the_schema(
    real_applications: pd.DataFrame, contract: Contract
):
    accepted = check_rows(real_applications, contract).accepted
    check_schema(accepted, applications_schema(contract))


def test_schema_carries_the_words_of_the_contract(contract: Contract):
    schema = applications_schema(contract)
    column = schema.columns["credit_limit"]
    assert column.description == contract.columns["credit_limit"].description
    assert column.metadata == {"role": "application", "unit": "NT$"}


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("age_years", 5.0, r"age_years: greater_than_or_equal_to\(18.0\) \(1\)"),
        ("age_years", 200.0, r"age_years: less_than_or_equal_to\(110.0\) \(1\)"),
        ("age_years", float("nan"), r"age_years: not_nullable \(1\)"),
        ("education", 5.0, r"education: isin\(.*\) \(1\)"),
        ("loan_id", "1", r"loan_id: field_uniqueness \(2\)"),
        ("loan_id", "a\n", r"loan_id: matches .* \(1\)"),
    ],
)
def test_row_that_does_not_fit_is_counted_without_its_value(
    accepted: pd.DataFrame, contract: Contract, column: str, value: object, message: str
):
    accepted.loc[4, column] = value
    with pytest.raises(ContractError, match=f"schema taiwan_default_v1: {message}"):
        check_schema(accepted, applications_schema(contract))


def test_missing_additional_and_mistyped_columns_are_named(
    accepted: pd.DataFrame, contract: Contract
):
    changed = accepted.drop(columns="sex").assign(note="x").astype({"marriage": "int8"})
    with pytest.raises(ContractError) as error:
        check_schema(changed, applications_schema(contract))
    assert "sex: column_in_dataframe" in str(error.value)
    assert "note: column_in_schema" in str(error.value)
    assert "marriage: dtype('float64')" in str(error.value)


def test_message_about_many_faults_is_short(accepted: pd.DataFrame, contract: Contract):
    broken = accepted.assign(**{n: -1e9 for n in contract.columns if "amount" in n})
    with pytest.raises(ContractError, match="; and 4 more"):
        check_schema(broken, applications_schema(contract))


def test_frame_without_rows_does_not_fit(accepted: pd.DataFrame, contract: Contract):
    with pytest.raises(ContractError, match="no rows"):
        check_schema(accepted.iloc[:0], applications_schema(contract))


def test_other_kinds_of_columns_fit(varied_contract: Contract):
    frame = pd.DataFrame(
        {
            "source_row": [2],
            "loan_id": ["any text"],
            "income_monthly": ["-999"],
            "years_employed": ["99"],
            "home": ["OWN"],
            "purpose": ["4"],
            "first_credit_on": ["1970-01-11"],
            "application_date": ["2010-02-28"],
            "bad_within_year": ["0"],
        }
    )
    accepted = check_rows(frame, varied_contract).accepted
    check_schema(accepted, applications_schema(varied_contract))


def test_importing_the_schemas_warns_of_nothing():
    program = "import credit_scoring.contract.schemas"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
