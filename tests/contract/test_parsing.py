import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.contract.model import Column, Contract
from credit_scoring.contract.parsing import parse_column

NUMBER = Column.model_validate(
    {"source": "X", "type": "number", "role": "application", "description": "x"}
)


def parse(*cells: str | None, column: Column = NUMBER):
    return parse_column(pd.Series(list(cells), dtype="str"), column)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("2", 2.0),
        ("2.0", 2.0),
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("-12.5", -12.5),
        ("+5", 5.0),
        ("007", 7.0),
        (".5", 0.5),
        ("5.", 5.0),
        (" 5\t", 5.0),
        ("1e999", math.inf),
    ],
)
def test_decimal_numbers_are_read(cell: str, number: float):
    parsed = parse(cell)
    assert parsed.values.tolist() == [number]
    assert not parsed.unreadable.any()


@pytest.mark.parametrize(
    "cell",
    [
        "abc",
        "inf",
        "-inf",
        "nan",
        "NaN",
        "1,000",
        "1_000",
        "0x10",
        "1d3",
        "-",
        ".",
        "1e",
        "--1",
        "1.2.3",
        "½",
        "\u0661",
        "'5",
        "True",
        "1\n",
        "1 000",
    ],
)
def test_other_text_is_no_number(cell: str):
    parsed = parse(cell)
    assert parsed.unreadable.tolist() == [True]
    assert parsed.unreadable_reason == "is not a number"
    assert np.isnan(parsed.values).all()


@pytest.mark.parametrize("cell", [None, "", " ", "\t "])
def test_empty_and_blank_cells_are_absent(cell: str | None):
    parsed = parse(cell, "1")
    assert parsed.absent.tolist() == [True, False]
    assert not parsed.unreadable.any()


@given(
    cells=st.lists(
        st.text(alphabet="0123456789.eE+-_ infa", max_size=8)
        | st.floats(allow_nan=False, allow_infinity=False).map(repr),
        min_size=1,
        max_size=10,
    )
)
def test_numbers_are_those_of_python_whatever_stands_beside_them(cells: list[str]):
    parsed = parse(*cells)
    for index, cell in enumerate(cells):
        text = cell.strip(" ")
        plain = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII)
        assert bool(parsed.absent[index]) == (text == "")
        assert bool(parsed.unreadable[index]) == (text != "" and not plain)
        if plain:
            assert parsed.values[index] == float(text)


def test_labels_are_read_as_codes(varied_contract: Contract):
    home = varied_contract.columns["home"]
    parsed = parse("OWN", "RENT", "own", None, "OTHER | none", column=home)
    np.testing.assert_array_equal(parsed.values, [1.0, 0.0, np.nan, np.nan, 5.0])
    assert parsed.unreadable.tolist() == [False, False, True, False, False]
    assert parsed.unreadable_reason == "is not one of RENT, OWN, OTHER | none"


def test_dates_are_read_as_days(varied_contract: Contract):
    date = varied_contract.columns["application_date"]
    parsed = parse("1970-01-02", "1969-12-31", "2023-02-29", None, column=date)
    np.testing.assert_array_equal(parsed.values, [1.0, -1.0, np.nan, np.nan])
    assert parsed.unreadable.tolist() == [False, False, True, False]
    assert parsed.unreadable_reason == "is not a date as YYYY-MM-DD"
