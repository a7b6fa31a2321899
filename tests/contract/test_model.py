from typing import Any

import pytest
from pydantic import ValidationError

from credit_scoring.contract.model import Column, Contract, Role


def column(**changes: Any) -> dict[str, Any]:
    return {
        "source": "X",
        "type": "number",
        "role": "application",
        "description": "x",
    } | changes


ID = column(source="ID", type="string", role="id")
TARGET = column(source="BAD", type="integer", role="target")


def made_of(**columns: dict[str, Any]) -> Contract:
    return Contract.model_validate(
        {"name": "small", "version": 1, "title": "Small", "columns": columns}
    )


def test_contract_names_columns_by_role_in_its_order():
    made = made_of(
        b=column(source="B", role="history"),
        loan_id=ID,
        a=column(source="A"),
        bad=TARGET,
        c=column(source="C", role="protected"),
    )
    assert made.id_name == "loan_id"
    assert made.target_name == "bad"
    assert made.input_names == ("b", "a")
    assert made.names(Role.PROTECTED) == ("c",)


def test_digest_depends_on_the_content_and_survives_json():
    made = made_of(loan_id=ID, bad=TARGET)
    again = Contract.model_validate_json(made.model_dump_json())
    other = made_of(loan_id=ID, bad={**TARGET, "description": "y"})
    assert made.digest == again.digest != other.digest


def test_digest_of_coded_columns_survives_json(contract: Contract):
    again = Contract.model_validate_json(contract.model_dump_json())
    assert again == contract
    assert again.digest == contract.digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum": 2, "maximum": 1}, "minimum is above maximum"),
        ({"recode": {1: 2}}, "needs a recode_reason"),
        (
            {"recode": {1: 7}, "recode_reason": "r", "categories": {2: "a"}},
            r"recode leads to \[7\]",
        ),
        (
            {"recode": {1: 2, 2: 3}, "recode_reason": "r"},
            r"recode leads to \[2\], which would be read again",
        ),
        (
            {
                "recode": {1: 2},
                "recode_reason": "r",
                "nullable": True,
                "sentinels": [2],
            },
            r"recode leads to \[2\], which would be read again",
        ),
        ({"sentinels": [-9]}, "so the column is nullable"),
        ({"type": "date", "minimum": 1}, "a date has no minimum"),
        ({"type": "date", "categories": {1: "a"}}, "a date has no categories"),
        (
            {"type": "date", "recode": {1: 2}, "recode_reason": "r"},
            "a date has no recode",
        ),
        ({"categories": {}}, "categories are empty"),
        ({"type": "string"}, "needs categories"),
        ({"pattern": "x"}, "only a string without categories has a pattern"),
        ({"type": "string", "role": "id", "pattern": "("}, "no regular expression"),
        ({"unknown": 1}, "Extra inputs are not permitted"),
    ],
)
def test_contradictory_column_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        Column.model_validate(column(**changes))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"loan_id": ID}, "expected one column of role target, found 0"),
        ({"bad": TARGET}, "expected one column of role id, found 0"),
        ({"id": ID, "bad": TARGET}, "must be a string named loan_id"),
        ({"loan_id": ID, "Bad": TARGET}, "'Bad' is not like credit_limit_1"),
        ({"loan_id": ID, "class": TARGET}, "'class' is not like"),
        ({"loan_id": ID, "source_row": TARGET}, "has another meaning"),
        ({"loan_id": ID, "bad": {**TARGET, "source": "ID"}}, "the same source"),
        ({"loan_id": ID, "bad": {**TARGET, "nullable": True}}, "the target must be"),
    ],
)
def test_contradictory_contract_is_refused(
    columns: dict[str, dict[str, Any]], message: str
):
    with pytest.raises(ValidationError, match=message):
        made_of(**columns)


@pytest.mark.parametrize("name", ["loan_id", "sex", "default_next_month", "unknown"])
def test_recourse_moves_only_numbers_that_decide(contract: Contract, name: str):
    said = contract.model_dump(mode="json")
    move = {"direction": "down", "advice": "Less of it."}
    said["recourse"] = {"columns": {name: move}}
    with pytest.raises(ValidationError, match=f"recourse names '{name}'"):
        Contract.model_validate(said)
