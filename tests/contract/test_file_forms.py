"""How files write values: percentages, texts with a meaning, rows set aside."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from credit_scoring.contract.dictionary import data_dictionary
from credit_scoring.contract.loading import contract_from_mapping
from credit_scoring.contract.model import Column, Contract
from credit_scoring.contract.parsing import parse_column
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.contract.request_schema import property_schema
from credit_scoring.contract.rows import check_rows
from credit_scoring.contract.schemas import applications_schema, check_schema


def column(**said: Any) -> Column:
    return Column.model_validate(
        {"source": "X", "type": "number", "role": "application", "description": "x"}
        | said
    )


def texts(*cells: str | None) -> pd.Series:
    return pd.Series(list(cells), dtype="str")


@given(st.decimals(min_value=0, max_value=500, places=4))
def test_a_percentage_is_the_share_nearest_to_what_is_written(number):
    parsed = parse_column(texts(f"{number}%"), column(format="percent"))
    assert parsed.values[0] == float(f"{number}e-2")


@pytest.mark.parametrize(
    ("written", "text", "value"),
    [
        ("percent", "10.65%", 0.1065),
        ("percent", " -3 % ", -0.03),
        ("grouped", "$1,234,567.50", 1234567.5),
        ("grouped", "€ 12", 12.0),
        ("decimal_comma", "1.234,50", 1234.5),
        ("decimal_comma", "-0,5", -0.5),
    ],
)
def test_numbers_are_read_as_their_format_says(written, text, value):
    parsed = parse_column(texts(text, None), column(format=written, nullable=True))
    assert parsed.values[0] == value
    assert np.isnan(parsed.values[1])
    assert not parsed.unreadable.any()


@pytest.mark.parametrize(
    ("written", "text", "reason"),
    [
        ("percent", "0.1065", "is not a percentage such as 10.65%"),
        ("grouped", "12,34", "is not a number such as 1,234.50"),
        ("decimal_comma", "1,234.50", "is not a number such as 1.234,50"),
    ],
)
def test_another_notation_is_refused_rather_than_guessed(written, text, reason):
    parsed = parse_column(texts(text), column(format=written))
    assert parsed.unreadable.tolist() == [True]
    assert parsed.unreadable_reason == reason


def test_texts_of_the_file_stand_for_their_numbers():
    years = column(
        type="integer",
        minimum=0,
        maximum=10,
        nullable=True,
        file_values={"< 1 year": 0, "10+ years": 10},
        missing_values=["n/a"],
    )
    parsed = parse_column(texts(" < 1 year", "10+ years", "n/a", "7", "some"), years)
    np.testing.assert_array_equal(parsed.values, [0, 10, np.nan, 7, np.nan])
    assert parsed.absent.tolist() == [False, False, True, False, False]
    assert parsed.unreadable.tolist() == [False, False, False, False, True]
    assert parsed.unreadable_reason == (
        "is not a number, and none of < 1 year, 10+ years"
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"type": "date", "format": "percent"}, "a date has no number format"),
        ({"date_formats": ["YYYY-MM"]}, "a number has no date formats"),
        ({"missing_values": ["n/a"]}, "so the column is nullable"),
        ({"ordered": True}, "only categories are ordered"),
        ({"file_values": {" a": 1}}, "without blanks"),
        ({"file_values": {"a": 1}, "set_aside": {"a": "b"}}, "two things"),
        ({"categories": {1: "x"}, "file_values": {"a": 2}}, "not in categories"),
        ({"type": "date", "file_values": {"a": 2}}, "has no file_values"),
        (
            {"type": "string", "role": "id", "set_aside": {"a": "b"}},
            "an id is read as it is written",
        ),
    ],
)
def test_a_contradiction_is_refused(said: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        column(**said)


MAPPING: dict[str, Any] = {
    "name": "loans",
    "version": 1,
    "title": "Loans",
    "known_after_decision": ["total_paid"],
    "left_out": {"note": "Free text."},
    "columns": {
        "loan_id": {
            "source": "id",
            "type": "string",
            "role": "id",
            "description": "Id.",
            "pattern": "^[0-9]+$",
        },
        "issued": {
            "source": "issued",
            "type": "date",
            "role": "date",
            "description": "When.",
            "date_formats": ["Mon-YYYY", "YYYY-MM-DD"],
        },
        "rate": {
            "source": "rate",
            "type": "number",
            "role": "application",
            "description": "Rate.",
            "format": "percent",
            "minimum": 0,
            "maximum": 1,
            "example": 0.1065,
        },
        "bad": {
            "source": "status",
            "type": "integer",
            "role": "target",
            "description": "Outcome.",
            "file_values": {"Paid": 0, "Lost": 1},
            "set_aside": {"Current": "the loan runs, so it has no outcome"},
        },
    },
}


@pytest.fixture
def loans() -> Contract:
    return contract_from_mapping(MAPPING)


def rows(*lines: tuple[str | None, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=["loan_id", "issued", "rate", "bad"])
    frame = frame.astype("str").where(frame.notna())
    frame.insert(0, "source_row", range(2, len(frame) + 2))
    return frame


def test_rows_without_an_outcome_are_neither_accepted_nor_rejected(loans: Contract):
    checked = check_rows(
        rows(
            ("1", "Dec-2011", "10.65%", "Paid"),
            ("2", "2011-12-01", "7%", "Lost"),
            ("3", "Dec-2011", "7%", "Current"),
            ("4", "Dec-2011", "7", "Current"),
            ("Junk", None, None, None),
        ),
        loans,
    )
    assert checked.accepted["bad"].tolist() == [0, 1]
    assert checked.accepted["rate"].tolist() == [0.1065, 0.07]
    assert checked.accepted["issued"].nunique() == 1
    assert checked.set_aside["loan_id"].tolist() == ["3"]
    assert checked.set_aside["reason"].tolist() == [
        "the loan runs, so it has no outcome"
    ]
    assert checked.rejected["loan_id"].unique().tolist() == ["4", "Junk"]
    check_schema(checked.accepted, applications_schema(loans))


def test_a_request_has_the_share_and_the_iso_date(loans: Contract):
    decoder = RequestDecoder(loans)
    application = decoder.decode(
        b'{"loan_id": "1", "rate": 0.1065, "issued": "2011-12-01"}'
    )
    assert decoder.columns([application])["rate"].tolist() == [0.1065]
    assert application.has_history
    assert property_schema(loans.columns["rate"])["maximum"] == 1
    assert property_schema(loans.columns["issued"])["format"] == "date"


def test_the_dictionary_says_how_files_write_it(loans: Contract):
    page = data_dictionary(loans)
    assert "In files: a percentage, `10.65%`" in page
    assert "In files: `Mon-YYYY` or `YYYY-MM-DD`. In requests: `YYYY-MM-DD`." in page
    assert "| Paid | 0 |" in page
    assert "| Current | the loan runs, so it has no outcome |" in page
    assert "refused: `total_paid`." in page
    assert "| `note` | Free text. |" in page


@pytest.mark.parametrize(
    ("name", "source"),
    [("total_paid", "x"), ("anything", "total_paid"), ("anything", " Total_Paid")],
)
def test_a_column_known_after_the_decision_is_no_input(name: str, source: str):
    offered = {**MAPPING["columns"]["rate"], "source": source}
    columns = {**MAPPING["columns"], name: offered}
    with pytest.raises(ValueError, match=f"known only after the decision: {name}"):
        contract_from_mapping({**MAPPING, "columns": columns})


def test_a_contract_with_open_questions_is_refused():
    with pytest.raises(ValueError, match=r"1 questions wait for a person: rate;"):
        contract_from_mapping({**MAPPING, "undecided": {"rate": "is it the price?"}})


def test_a_column_is_not_used_and_left_out_at_once():
    with pytest.raises(ValueError, match=r"columns that are used: \['rate'\]"):
        contract_from_mapping({**MAPPING, "left_out": {"rate": "no"}})


def test_fields_that_say_nothing_leave_the_digest_alone(loans: Contract):
    assert loans.digest == Contract.model_validate_json(loans.model_dump_json()).digest
    plain = {**MAPPING, "left_out": {}, "known_after_decision": []}
    without = {k: v for k, v in plain.items() if v}
    assert contract_from_mapping(plain).digest == contract_from_mapping(without).digest
    assert contract_from_mapping(plain).digest != loans.digest


def test_the_shipped_contract_keeps_its_digest(contract: Contract):
    # Every artifact made before says it.
    assert contract.digest == (
        "1fe486a57960cde28a11a46bcb8390c43824dcb6edea9d3f2f00a1c104b331d2"
    )
