import json
from pathlib import Path

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.model import Contract, Role
from credit_scoring.contract.request import RequestDecoder
from credit_scoring.contract.request_schema import (
    property_schema,
    request_example,
    request_json_schema,
)


def test_schema_is_json_and_has_the_fields_of_a_request(contract: Contract):
    schema = json.loads(json.dumps(request_json_schema(contract)))
    assert set(schema["properties"]) == {*contract.columns} - {contract.target_name}
    assert schema["required"] == ["loan_id", "credit_limit"]
    assert schema["additionalProperties"] is False


def test_history_columns_ask_for_each_other_in_a_ring(contract: Contract):
    ring = request_json_schema(contract)["dependentRequired"]
    history = contract.names(Role.HISTORY)
    seen, name = [], history[0]
    while name not in seen:
        seen.append(name)
        [name] = ring[name]
    assert set(seen) == set(history)


def test_contract_without_history_asks_for_no_ring(contract: Contract):
    columns = {
        name: column
        for name, column in contract.columns.items()
        if column.role is not Role.HISTORY
    }
    schema = request_json_schema(contract.model_copy(update={"columns": columns}))
    assert "dependentRequired" not in schema
    assert schema["description"] == contract.title + "."


def test_number_says_its_unit_and_range(contract: Contract):
    limit = property_schema(contract.columns["credit_limit"])
    assert limit["type"] == "number"
    assert (limit["minimum"], limit["maximum"]) == (1000, 10_000_000)
    assert limit["x-unit"] == "NT$"
    assert limit["description"].endswith("Unit: NT$.")
    assert limit["examples"] == [120000]


def test_code_says_its_meanings_and_how_unknown_ones_are_read(contract: Contract):
    education = property_schema(contract.columns["education"])
    assert education["enum"] == [0, 1, 2, 3, 4, 5, 6]
    assert "1 = graduate school; 2 = university" in education["description"]
    assert "so they are read as 4, others" in education["description"]
    assert "never used for the decision" in education["description"]


def test_sentinel_and_recoded_values_are_allowed_beside_the_range(
    varied_contract: Contract,
):
    income = property_schema(varied_contract.columns["income_monthly"])
    years = property_schema(varied_contract.columns["years_employed"])
    assert income["type"] == ["number", "null"]
    assert income["anyOf"] == [{"minimum": 0}, {"enum": [-999, None]}]
    assert years["anyOf"] == [{"maximum": 40}, {"enum": [99]}]
    assert "Read as missing: -999." in income["description"]


def test_pattern_is_anchored(contract: Contract):
    column = contract.columns["loan_id"]
    assert property_schema(column)["pattern"] == column.pattern
    loose = column.model_copy(update={"pattern": "a|b"})
    assert property_schema(loose)["pattern"] == "^(?:a|b)$"


def test_a_column_that_may_be_missing_is_so_in_an_example_without_its_value() -> None:
    path = Path(__file__).parents[2] / "conf/lending_club/parameters_contract.yml"
    each = contract_from_yaml(path)
    example = request_example(each)
    assert example["months_since_delinquency"] is None
    RequestDecoder(each).decode(json.dumps(example).encode())


def test_example_is_a_right_request_without_protected_columns(
    contract: Contract, varied_contract: Contract
):
    for each in (contract, varied_contract):
        example = request_example(each)
        assert request_json_schema(each)["examples"] == [example]
        application = RequestDecoder(each).decode(json.dumps(example).encode())
        assert application.has_history
    assert not {"sex", "age_years"} & {*request_example(contract)}
