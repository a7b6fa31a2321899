import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.contract.model import Column, Contract
from credit_scoring.contract.rules import (
    days_from_date,
    exempt_values,
    is_contiguous,
    parse_date,
    plain,
    rules_of,
    standardise,
)


def first_broken(column: Column, value: float) -> str | None:
    return next((r.reason for r in rules_of(column) if r.broken(value)), None)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("credit_limit", 999.99, "is below the minimum of 1000 NT$"),
        ("credit_limit", 1000.0, None),
        ("credit_limit", 1e7, None),
        ("credit_limit", 1e7 + 0.5, "is above the maximum of 10000000 NT$"),
        ("credit_limit", float("inf"), "is not a finite number"),
        ("age_years", 30.5, "is not a whole number"),
        ("age_years", 17.0, "is below the minimum of 18 years"),
        ("sex", 0.0, "is not one of 1, 2"),
        ("education", 0.0, None),
        ("education", 7.0, "is not one of 0, 1, 2, 3, 4, 5, 6"),
        ("bill_amount_1", -1.0, None),
        ("payment_amount_1", -1.0, "is below the minimum of 0 NT$"),
        ("repayment_status_1", -3.0, "is not one of -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, "),
    ],
)
def test_reason_says_what_was_expected(
    contract: Contract, name: str, value: float, reason: str | None
):
    found = first_broken(contract.columns[name], value)
    assert (found or "").startswith(reason or "")
    assert (found is None) == (reason is None)


NUMBERS = st.floats(allow_nan=False) | st.integers(-1000, 1000).map(float)


@given(values=st.lists(NUMBERS, min_size=1, max_size=20))
def test_rules_judge_one_number_as_they_judge_many(
    contract: Contract, varied_contract: Contract, values: list[float]
):
    array = np.array(values)
    columns = [*contract.columns.values(), *varied_contract.columns.values()]
    for rule in [rule for column in columns for rule in rules_of(column)]:
        assert list(rule.broken(array)) == [bool(rule.broken(v)) for v in values]


def test_recoded_codes_and_sentinels_are_accepted_out_of_range(
    varied_contract: Contract,
):
    years = varied_contract.columns["years_employed"]
    income = varied_contract.columns["income_monthly"]
    assert exempt_values(years) == (99.0,)
    assert first_broken(years, 99.0) is None
    assert first_broken(years, 98.0) == "is above the maximum of 40"
    assert first_broken(income, -999.0) is None
    assert first_broken(income, -998.0) == "is below the minimum of 0 EUR"


def test_standardise_recodes_all_at_once_and_leaves_its_input_alone():
    column = Column.model_validate(
        {
            "source": "X",
            "type": "integer",
            "role": "application",
            "description": "x",
            "nullable": True,
            "sentinels": [-9],
            "recode": {1: 3, 2: 4},
            "recode_reason": "r",
        }
    )
    values = np.array([1.0, 2.0, -9.0, -0.0, np.nan])
    read = standardise(values, column)
    np.testing.assert_array_equal(read, [3.0, 4.0, np.nan, 0.0, np.nan])
    assert not np.signbit(read[3])
    np.testing.assert_array_equal(values, [1.0, 2.0, -9.0, -0.0, np.nan])


@pytest.mark.parametrize(
    "text", ["20240131", "2024-W05-3", "2024-02-30", "", "31.1.24"]
)
def test_only_iso_dates_are_dates(text: str):
    assert parse_date(text) is None


def test_date_is_counted_in_days_since_1970():
    day = parse_date("1970-02-01")
    assert day is not None
    assert days_from_date(day) == 31.0


def test_codes_with_gaps_are_not_contiguous():
    assert is_contiguous((-1.0, 0.0, 1.0))
    assert not is_contiguous((1.0, 3.0))
    assert not is_contiguous((0.5, 1.5))


def test_bounds_are_written_plainly():
    assert [plain(x) for x in (1000.0, 0.5, -2.0)] == ["1000", "0.5", "-2"]
