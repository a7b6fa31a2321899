from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.contract_proposal.columns import propose_column


def proposed(cells: list[str | None], times: int = 1) -> Any:
    return propose_column(pd.Series(cells * times, dtype="str"))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1", "2", "30"], {"type": "integer", "minimum": 0, "maximum": 1000}),
        (["1.5", "-2", "3"], {"type": "number", "maximum": 100}),
        (["10.65%", "7%"], {"type": "number", "format": "percent", "minimum": 0}),
        (["1.234,50", "0,5"], {"type": "number", "format": "decimal_comma"}),
        (["$1,234.50", "$2"], {"type": "number", "format": "grouped"}),
        (["Dec-2011", "Jan-2012"], {"type": "date", "date_formats": ["Mon-YYYY"]}),
        (["31.12.2011", "01.01.2012"], {"date_formats": ["DD.MM.YYYY"]}),
        (["b", "a", "b"], {"type": "string", "categories": {1: "a", 2: "b"}}),
        (
            ["< 1 year", "10+ years", "3 years"],
            {
                "type": "integer",
                "file_values": {"10+ years": 10, "3 years": 3, "< 1 year": 0},
            },
        ),
    ],
)
def test_a_column_is_what_its_cells_are(cells: list[str | None], said: dict[str, Any]):
    found = proposed(cells).said
    assert {key: found[key] for key in said} == said


def test_texts_that_mean_missing_are_named():
    found = proposed(["1", "2", "NA", "n/a", None, " 3 "])
    assert found.said["missing_values"] == ["NA", "n/a"]
    assert found.said["nullable"]
    np.testing.assert_array_equal(found.values, [1, 2, np.nan, np.nan, np.nan, 3])


@pytest.mark.parametrize(
    ("cells", "sentinels"),
    [
        (["10", "20", "30", "-999"], [-999]),
        (["10", "20", "30", "9999999"], [9999999]),
        (["18", "20", "45", "99"], [99]),
        # Nothing lies apart, or negative numbers are usual.
        (["97", "98", "99"], None),
        (["-3", "-2", "4"], None),
    ],
)
def test_codes_for_missing_are_asked_about(
    cells: list[str | None], sentinels: list[int] | None
):
    found = proposed(cells, times=10)
    assert found.said.get("sentinels") == sentinels
    assert bool(found.questions) == bool(sentinels)
    if sentinels:
        assert found.said["maximum"] <= 1000


def test_a_few_odd_cells_are_asked_about_and_not_shown():
    found = proposed([*map(str, range(200)), "secret"])
    assert found.said["type"] == "integer"
    assert "1 of 201 cells are no numbers" in found.questions[0]
    assert "secret" not in found.questions[0]


def test_ambiguous_dates_are_asked_about():
    found = proposed(["03/04/2011", "05/06/2012"])
    assert found.questions == ["dates could be DD/MM/YYYY or MM/DD/YYYY; which is it?"]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([None, "NA"], "Is empty."),
        (["x", "x", None], "Has one value."),
        (
            [f"name {chr(97 + n % 26)}{n}x" for n in range(40)],
            "Text with 40 different values.",
        ),
    ],
)
def test_what_cannot_be_used_is_left_out(cells: list[str | None], why: str):
    found = proposed(cells)
    assert (found.left_out, found.said) == (why, {})


def test_spellings_that_differ_in_case_alone_are_asked_about():
    assert "differ in case" in proposed(["Rent", "rent", "Own"]).questions[0]
