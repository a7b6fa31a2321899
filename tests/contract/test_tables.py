"""Tables under the contract: as requests and files are judged, whatever their types."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from credit_scoring.contract.model import Contract, Role
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.contract.tables import TableCheck
from credit_scoring.errors import ContractError

Row = dict[str, Any]

CONTRACT = Contract.model_validate(
    {
        "name": "mixed",
        "version": 1,
        "title": "Columns of every type",
        "columns": {
            "loan_id": {
                "source": "ID",
                "type": "string",
                "role": "id",
                "pattern": "[A-Za-z0-9-]{1,8}",
                "description": "Identifies the loan.",
            },
            "amount": {
                "source": "AMOUNT",
                "type": "number",
                "role": "application",
                "minimum": 0,
                "maximum": 1000,
                "description": "Amount.",
            },
            "purpose": {
                "source": "PURPOSE",
                "type": "string",
                "role": "application",
                "categories": {1: "car", 2: "house"},
                "description": "Purpose.",
            },
            "since": {
                "source": "SINCE",
                "type": "date",
                "role": "application",
                "nullable": True,
                "description": "Customer since.",
            },
            "code": {
                "source": "CODE",
                "type": "integer",
                "role": "application",
                "categories": {0: "a", 2: "b"},
                "recode": {7: 2},
                "recode_reason": "Seven is two.",
                "nullable": True,
                "sentinels": [-1],
                "description": "A code.",
            },
            "late_1": {
                "source": "LATE",
                "type": "integer",
                "role": "history",
                "minimum": 0,
                "description": "Months late.",
            },
            "sex": {
                "source": "SEX",
                "type": "integer",
                "role": "protected",
                "categories": {1: "male", 2: "female"},
                "description": "Sex.",
            },
            "bad": {
                "source": "BAD",
                "type": "integer",
                "role": "target",
                "categories": {0: "good", 1: "bad"},
                "description": "Defaulted.",
            },
        },
    }
)

ROWS: list[Row] = [
    {
        "loan_id": "A-1",
        "amount": 10.5,
        "purpose": "car",
        "since": date(2020, 1, 31),
        "code": 0,
        "late_1": 3,
    },
    {
        "loan_id": "A-2",
        "amount": -0.0,
        "purpose": "house",
        "since": None,
        "code": 7,
        "late_1": 0,
    },
    {
        "loan_id": "A-3",
        "amount": 1000,
        "purpose": "house",
        "since": date(1999, 12, 1),
        "code": -1,
        "late_1": 100,
    },
]


def checked(table: pa.Table, **options: Any) -> Any:
    check = TableCheck(CONTRACT, table.schema, name="a table", **options)
    (batch,) = table.combine_chunks().to_batches()
    return check, check.check(batch)


def as_text(table: pa.Table) -> pa.Table:
    texts = [[None if v is None else str(v) for v in c.to_pylist()] for c in table]
    return pa.table(dict(zip(table.schema.names, texts, strict=True)))


def with_dictionaries(table: pa.Table) -> pa.Table:
    return pa.table({n: table[n].dictionary_encode() for n in table.schema.names})


@pytest.mark.parametrize("form", [lambda t: t, as_text, with_dictionaries])
def test_numbers_are_those_of_a_request_to_the_bit(form: Any) -> None:
    check, table = checked(form(pa.Table.from_pylist(ROWS)))
    decoder = RequestDecoder(CONTRACT)
    said = [
        {n: str(v) if n == "since" and v else v for n, v in r.items()} for r in ROWS
    ]
    requested = decoder.rows([decoder.decode(json.dumps(r).encode()) for r in said])
    assert not table.faults
    assert check.rows(table, None).tobytes() == requested.tobytes()
    chosen = np.array([0, 2])
    assert check.rows(table, chosen).tobytes() == requested[chosen].tobytes()


def test_decimals_floats_and_numbered_accounts_are_read() -> None:
    table = pa.table(
        {
            "ID": pa.array([1, 2]),
            "AMOUNT": pa.array([Decimal("0.10"), Decimal("7.25")]),
            "PURPOSE": ["car", "house"],
            "SINCE": pa.array([date(2020, 1, 1), None], pa.date64()),
            "CODE": pa.array([0, 2], pa.int8()),
            "LATE": pa.array([1, 2], pa.float32()),
        }
    )
    _, found = checked(table)
    assert found.loan_ids.to_pylist() == ["1", "2"]
    assert found.numbers["amount"].tolist() == [0.1, 7.25]
    assert not found.broken.any()


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("amount", [float("inf"), 1, 2], "is not a finite number"),
        ("amount", [float("nan"), 1, 2], "is missing"),
        ("amount", [-1, 1, 2], "is below the minimum of 0"),
        ("amount", [1001, 1, 2], "is above the maximum of 1000"),
        ("amount", ["10 EUR", "1", "2"], "is not a number"),
        ("purpose", ["boat", "car", "car"], "is not one of car, house"),
        ("since", ["2020-13-01", None, None], "is not a date as %Y-%m-%d"),
        ("code", [1, 0, 2], "is not one of -1, 0, 2, 7"),
        ("late_1", [0.5, 0, 0], "is not a whole number"),
        ("loan_id", ["", "B", "C"], "is missing"),
        ("loan_id", ["B C", "B", "C"], "does not match the pattern"),
    ],
)
def test_a_wrong_cell_is_told_by_the_rule_it_breaks(
    name: str, values: list[Any], reason: str
) -> None:
    table = pa.Table.from_pylist(ROWS)
    place = table.schema.get_field_index(name)
    _, found = checked(table.set_column(place, name, pa.array(values)))
    (fault,) = found.faults
    assert (fault.column, fault.broken.tolist()) == (name, [True, False, False])
    assert fault.reason.startswith(reason.partition(" as %")[0])
    assert found.broken.tolist() == [True, False, False]


def test_a_row_without_any_history_is_one_without_it() -> None:
    table = pa.Table.from_pylist([{**ROWS[0], "late_1": None}, *ROWS[1:]])
    check, found = checked(table)
    assert check.has_history
    assert found.with_history.tolist() == [False, True, True]
    assert not found.faults
    check, found = checked(table.drop_columns("late_1"))
    assert not check.has_history
    assert not found.with_history.any()
    assert np.isnan(check.rows(found, None)[:, -1]).all()


def test_protected_columns_are_judged_only_where_they_are_asked_for() -> None:
    table = pa.Table.from_pylist([{**row, "sex": 3} for row in ROWS])
    check, found = checked(table)
    assert "sex" not in check.sources
    assert not found.faults
    every = (Role.ID, Role.APPLICATION, Role.HISTORY, Role.PROTECTED)
    _, found = checked(table, roles=every)
    assert {fault.column for fault in found.faults} == {"sex"}


def test_a_column_may_be_fixed_for_all_rows() -> None:
    table = pa.Table.from_pylist(ROWS).drop_columns("purpose")
    _, found = checked(table, fixed={"purpose": "car", "region": "north"})
    assert found.numbers["purpose"].tolist() == [1, 1, 1]
    _, found = checked(table, fixed={"purpose": ""})
    assert found.broken.all()


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("amount", [True, False, True], "of type bool; expected numbers, or text"),
        ("amount", [[1], [2], [3]], "of type list.*; expected numbers, or text"),
        ("purpose", [1, 2, 3], "of type int64; expected text"),
        ("since", [1, 2, 3], "of type int64; expected a date, or text"),
        ("loan_id", [1.5, 2.5, 3.5], "of type double; expected text"),
    ],
)
def test_a_type_that_no_column_has_is_refused(
    name: str, values: list[Any], expected: str
) -> None:
    table = pa.Table.from_pylist(ROWS)
    place = table.schema.get_field_index(name)
    with pytest.raises(ContractError, match=expected):
        checked(table.set_column(place, name, pa.array(values)))


def test_columns_that_are_missing_or_stand_twice_are_refused() -> None:
    table = pa.Table.from_pylist(ROWS)
    with pytest.raises(
        ContractError, match="amount; instead of amount there is 'amoun'"
    ):
        checked(table.rename_columns({"amount": "amoun"}))
    with pytest.raises(ContractError, match="more than once: amount"):
        checked(table, fixed={"amount": "3"})
    both = [n if n in {"loan_id", "amount", "purpose"} else n.upper() for n in ROWS[0]]
    with pytest.raises(ContractError, match="missing: since, code"):
        checked(table.rename_columns(both))
