"""Histories taken from applications and given back: the same columns, to the bit."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.contract.model import Contract
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.feature_store.columns import HistoryColumns


def column(**fields: Any) -> dict[str, Any]:
    return {"description": "x", "role": "history", **fields}


@pytest.fixture(scope="module")
def contract() -> Contract:
    """A history of every kind of column there is."""
    columns = {
        "loan_id": column(type="string", role="id"),
        "amount": column(type="number", role="application"),
        "status": column(
            type="integer",
            categories={1: "a", 2: "b", 4: "c"},
            recode={7: 2},
            recode_reason="so",
        ),
        "grade": column(type="string", categories={1: "low", 2: "high"}, nullable=True),
        "opened": column(type="date", nullable=True),
        "balance": column(type="number", nullable=True, sentinels=[-999]),
        "bad": column(type="integer", role="target"),
    }
    for name, fields in columns.items():
        fields["source"] = name
    return Contract.model_validate(
        {"name": "any", "version": 1, "title": "Any", "columns": columns}
    )


@pytest.fixture(scope="module")
def decoder(contract: Contract) -> RequestDecoder:
    return RequestDecoder(contract)


HISTORIES = st.fixed_dictionaries(
    {
        "status": st.sampled_from([1, 2, 4, 7]),
        "grade": st.sampled_from(["low", "high", None]),
        "opened": st.dates().map(lambda day: day.isoformat()) | st.none(),
        "balance": st.floats(allow_nan=False, allow_infinity=False)
        | st.sampled_from([-999, None, -0.0]),
    }
)


@given(history=HISTORIES)
def test_a_completed_application_has_the_columns_of_one_that_carried_its_history(
    contract: Contract, decoder: RequestDecoder, history: dict[str, Any]
) -> None:
    columns = HistoryColumns(contract, decoder)
    bare = {"loan_id": "L-1", "amount": 5}
    carried = decoder.decode(json.dumps({**bare, **history}).encode())
    (values,) = columns.values([carried])
    without = decoder.decode(json.dumps(bare).encode())
    completed = columns.complete(without, values)
    assert completed.has_history
    assert completed.loan_id == "L-1"
    expected, found = decoder.columns([carried]), decoder.columns([completed])
    assert list(found) == list(expected)
    for name in expected:
        assert found[name].tobytes() == expected[name].tobytes()
    assert np.array_equal(columns.values([completed])[0], values, equal_nan=True)


def test_values_are_those_of_each_application(
    contract: Contract, decoder: RequestDecoder
) -> None:
    columns = HistoryColumns(contract, decoder)
    history = {"status": 7, "grade": "high", "opened": "1970-01-03", "balance": 1.5}
    applications = [
        decoder.decode(
            json.dumps(
                {"loan_id": "L", "amount": 1, **history, "balance": balance}
            ).encode()
        )
        for balance in (1.5, 2.5)
    ]
    assert columns.names == ("status", "grade", "opened", "balance")
    assert columns.values(applications) == [[2, 2, 2, 1.5], [2, 2, 2, 2.5]]
