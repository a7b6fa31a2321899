from pathlib import Path

import pytest
import yaml

from credit_scoring.contract.loading import contract_from_mapping, contract_from_yaml
from credit_scoring.contract.model import Contract, Role
from credit_scoring.contract.rules import exempt_values, rules_of
from credit_scoring.errors import ContractError


def test_shipped_contract_has_the_columns_of_the_api(contract: Contract):
    months = range(1, 7)
    assert list(contract.columns) == [
        "loan_id",
        "credit_limit",
        "sex",
        "education",
        "marriage",
        "age_years",
        *[f"repayment_status_{n}" for n in months],
        *[f"bill_amount_{n}" for n in months],
        *[f"payment_amount_{n}" for n in months],
        "default_next_month",
    ]
    assert len(contract.names(Role.HISTORY)) == 18
    assert contract.columns["repayment_status_1"].source == "PAY_0"
    assert contract.columns["repayment_status_2"].source == "PAY_2"


def test_every_example_of_the_shipped_contract_keeps_it(contract: Contract):
    for name, column in contract.columns.items():
        assert column.example is not None, name
        if column.type != "string":
            broken = [r.reason for r in rules_of(column) if r.broken(column.example)]
            assert column.example in exempt_values(column) or not broken, name


def test_amounts_of_the_shipped_contract_have_a_unit(contract: Contract):
    for name, column in contract.columns.items():
        if column.type == "number":
            assert column.unit == "NT$", name


def test_error_names_column_and_key():
    mapping = {
        "name": "x",
        "version": 1,
        "title": "X",
        "columns": {"age_years": {"source": "A", "type": "integer", "minimum": "old"}},
    }
    with pytest.raises(ContractError, match=r"columns\.age_years\.minimum: ") as error:
        contract_from_mapping(mapping, source="here")
    assert str(error.value).startswith("here: 3 problem(s)")
    assert "columns.age_years.role: Field required" in str(error.value)


def test_message_about_many_problems_is_short():
    columns = {f"c{n}": {} for n in range(20)}
    mapping = {"name": "x", "version": 1, "title": "X", "columns": columns}
    with pytest.raises(ContractError, match="and 72 more") as error:
        contract_from_mapping(mapping)
    assert len(str(error.value)) < 1000


def test_yaml_and_mapping_give_the_same_contract(
    contract_file: Path, contract: Contract
):
    mapping = yaml.safe_load(contract_file.read_text(encoding="utf-8"))["contract"]
    assert contract_from_mapping(mapping) == contract


def test_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ContractError, match=r"no\.yml: there is no such contract"):
        contract_from_yaml(tmp_path / "no.yml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contract: [", "not valid YAML in UTF-8 at line 1"),
        ("other: 1", "expected a mapping under the key 'contract'"),
        ("- 1", "expected a mapping under the key 'contract'"),
        ("contract:\n  name: x\n  name: y\n", "line 3: 'name' is said twice"),
        ("contract: {}", "4 problem"),
    ],
)
def test_faulty_yaml_is_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / "contract.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=message):
        contract_from_yaml(path)


def test_yaml_in_another_encoding_is_refused(tmp_path: Path):
    path = tmp_path / "contract.yml"
    path.write_bytes(b"contract: \xff")
    with pytest.raises(ContractError, match="not valid YAML in UTF-8"):
        contract_from_yaml(path)
