import time

import numpy as np
import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.contract.rows import CONFLICT, REPETITION, check_rows
from credit_scoring.errors import ContractError


def faults(frame: pd.DataFrame, contract: Contract) -> list[tuple[object, ...]]:
    rejected = check_rows(frame, contract).rejected
    return list(rejected.drop(columns="loan_id").itertuples(index=False, name=None))


def test_real_file_keeps_the_contract(
    real_applications: pd.DataFrame, contract: Contract
):
    checked = check_rows(real_applications, contract)
    assert len(checked.accepted) == 30_000
    assert checked.rejected.empty
    assert list(checked.accepted.columns) == list(contract.columns)
    assert checked.accepted["loan_id"].dtype == "str"
    assert checked.accepted["default_next_month"].dtype == np.int8
    assert {str(t) for t in checked.accepted.iloc[:, 1:-1].dtypes} == {"float64"}
    assert checked.accepted["default_next_month"].sum() == 6636


def test_undocumented_codes_are_recoded_and_counted(
    real_applications: pd.DataFrame, contract: Contract
):
    checked = check_rows(real_applications, contract)
    assert checked.recoded == {
        "education": {"0": 14, "5": 280, "6": 51},
        "marriage": {"0": 54},
    }
    assert checked.accepted["education"].value_counts()[4.0] == 123 + 14 + 280 + 51
    assert checked.accepted["marriage"].value_counts()[3.0] == 323 + 54


def test_thirty_thousand_rows_take_well_under_a_second(
    real_applications: pd.DataFrame, contract: Contract
):
    check_rows(real_applications, contract)
    started = time.process_time()
    check_rows(real_applications, contract)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("loan_id", None, "is missing"),
        ("loan_id", "a b", "does not match the pattern ^[A-Za-z0-9._-]{1,64}$"),
        ("loan_id", "x" * 65, "does not match the pattern ^[A-Za-z0-9._-]{1,64}$"),
        ("loan_id", "1\n", "does not match the pattern ^[A-Za-z0-9._-]{1,64}$"),
        ("credit_limit", None, "is missing"),
        ("credit_limit", "abc", "is not a number"),
        ("credit_limit", "1e999", "is not a finite number"),
        ("credit_limit", "0", "is below the minimum of 1000 NT$"),
        ("age_years", "2.5", "is not a whole number"),
        ("age_years", "17", "is below the minimum of 18 years"),
        ("age_years", "111", "is above the maximum of 110 years"),
        ("sex", "3", "is not one of 1, 2"),
        ("payment_amount_2", "-1", "is below the minimum of 0 NT$"),
        ("default_next_month", "2", "is not one of 0, 1"),
        ("default_next_month", "yes", "is not a number"),
        ("default_next_month", None, "is missing"),
    ],
)
def test_broken_cell_is_rejected_with_row_column_value_and_reason(
    applications: pd.DataFrame,
    contract: Contract,
    column: str,
    value: str | None,
    reason: str,
):
    applications.loc[3, column] = value
    checked = check_rows(applications, contract)
    [line] = checked.rejected.to_dict("records")
    assert line["source_row"] == 5
    assert line["column"] == column
    assert line["reason"] == reason
    assert line["value"] == value or (value is None and pd.isna(line["value"]))
    assert len(checked.accepted) == 9
    assert "4" not in checked.accepted["loan_id"].tolist()


def test_each_broken_cell_of_a_row_is_listed_in_column_order(
    applications: pd.DataFrame, contract: Contract
):
    applications.loc[2, ["bill_amount_1", "sex", "age_years"]] = ["x", "9", "1"]
    applications.loc[0, "age_years"] = "2.5"
    assert faults(applications, contract) == [
        (2, "age_years", "2.5", "is not a whole number"),
        (4, "sex", "9", "is not one of 1, 2"),
        (4, "age_years", "1", "is below the minimum of 18 years"),
        (4, "bill_amount_1", "x", "is not a number"),
    ]


@pytest.mark.parametrize("cell", ["24", "24.0", "2.4e1", " 24 "])
def test_whole_numbers_may_be_written_with_a_point(
    applications: pd.DataFrame, contract: Contract, cell: str
):
    applications.loc[0, "age_years"] = cell
    assert check_rows(applications, contract).accepted["age_years"][0] == 24.0


def test_negative_bills_are_credits(applications: pd.DataFrame, contract: Contract):
    applications.loc[0, "bill_amount_1"] = "-339603"
    checked = check_rows(applications, contract)
    assert checked.accepted["bill_amount_1"][0] == -339603.0


def test_equal_rows_with_one_id_keep_the_first(
    applications: pd.DataFrame, contract: Contract
):
    for index in (4, 7):
        applications.loc[index, list(contract.columns)] = applications.loc[
            1, list(contract.columns)
        ]
    assert faults(applications, contract) == [
        (6, "loan_id", "2", REPETITION),
        (9, "loan_id", "2", REPETITION),
    ]
    assert check_rows(applications, contract).accepted["loan_id"].tolist().count(
        "2"
    ) == (1)


def test_differing_rows_with_one_id_are_all_rejected(
    applications: pd.DataFrame, contract: Contract
):
    applications.loc[4, list(contract.columns)] = applications.loc[
        1, list(contract.columns)
    ]
    applications.loc[7, "loan_id"] = "2"
    assert faults(applications, contract) == [
        (3, "loan_id", "2", CONFLICT),
        (6, "loan_id", "2", CONFLICT),
        (9, "loan_id", "2", CONFLICT),
    ]


def test_row_that_is_broken_otherwise_still_conflicts(
    applications: pd.DataFrame, contract: Contract
):
    applications.loc[1, ["loan_id", "sex"]] = ["1", "9"]
    assert faults(applications, contract) == [
        (2, "loan_id", "1", CONFLICT),
        (3, "loan_id", "1", CONFLICT),
        (3, "sex", "9", "is not one of 1, 2"),
    ]


def test_missing_and_malformed_ids_are_not_duplicates(
    applications: pd.DataFrame, contract: Contract
):
    applications.loc[[0, 1], "loan_id"] = None
    applications.loc[[2, 3], "loan_id"] = "a b"
    reasons = [fault[-1] for fault in faults(applications, contract)]
    pattern = "does not match the pattern ^[A-Za-z0-9._-]{1,64}$"
    assert reasons == ["is missing", "is missing", pattern, pattern]


def test_every_row_may_be_rejected(applications: pd.DataFrame, contract: Contract):
    applications["sex"] = "7"
    checked = check_rows(applications, contract)
    assert checked.accepted.empty
    assert list(checked.accepted.columns) == list(contract.columns)
    assert len(checked.rejected) == 10


def test_input_is_untouched(applications: pd.DataFrame, contract: Contract):
    applications.loc[0, "education"] = "0"
    before = applications.copy()
    check_rows(applications, contract)
    pd.testing.assert_frame_equal(applications, before)


def test_frame_without_a_column_is_refused(
    applications: pd.DataFrame, contract: Contract
):
    short = applications.drop(columns=["source_row", "sex"])
    with pytest.raises(ContractError, match="from the rows: source_row, sex"):
        check_rows(short, contract)


def test_other_kinds_of_columns_are_typed(varied_contract: Contract):
    frame = pd.DataFrame(
        {
            "source_row": [2, 3, 4],
            "loan_id": ["x y", "z", "q"],
            "income_monthly": ["-999", None, "1e3"],
            "years_employed": ["99", "3", "41"],
            "home": ["OWN", "RENT", "own"],
            "purpose": [None, "9", "2"],
            "first_credit_on": ["1970-01-11", None, "1970"],
            "application_date": ["2010-02-28", "2010-03-01", "2010-02-29"],
            "bad_within_year": ["0", "1", "-1"],
        }
    ).astype({"purpose": "str", "income_monthly": "str", "first_credit_on": "str"})
    checked = check_rows(frame, varied_contract)
    accepted = checked.accepted
    np.testing.assert_array_equal(accepted["income_monthly"], [np.nan, np.nan])
    assert accepted["years_employed"].tolist() == [40.0, 3.0]
    assert accepted["home"].tolist() == [1.0, 0.0]
    np.testing.assert_array_equal(accepted["purpose"], [np.nan, 9.0])
    np.testing.assert_array_equal(accepted["first_credit_on"], [10.0, np.nan])
    assert accepted["application_date"].dtype == "datetime64[s]"
    assert accepted["application_date"][1] == pd.Timestamp("2010-03-01")
    assert checked.recoded == {"years_employed": {"99": 1}}
    assert faults(frame, varied_contract) == [
        (4, "years_employed", "41", "is above the maximum of 40"),
        (4, "home", "own", "is not one of RENT, OWN, OTHER | none"),
        (4, "purpose", "2", "is not one of 1, 4, 9"),
        (4, "first_credit_on", "1970", "is not a date as YYYY-MM-DD"),
        (4, "application_date", "2010-02-29", "is not a date as YYYY-MM-DD"),
        (4, "bad_within_year", "-1", "is not one of 0, 1"),
    ]
