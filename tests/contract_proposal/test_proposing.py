import numpy as np
import pandas as pd
import pytest
import yaml

from credit_scoring.contract.loading import contract_from_mapping
from credit_scoring.contract.rows import check_rows
from credit_scoring.contract_proposal.proposing import (
    Roles,
    api_name,
    propose_contract,
)
from credit_scoring.contract_proposal.sniffing import FileForm
from credit_scoring.contract_proposal.writing import contract_yaml, environment_files
from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.errors import ContractError

ROLES = Roles(target="Status", id_column="No", bad=("lost",), good=("paid",))


@pytest.fixture
def table() -> pd.DataFrame:
    random = np.random.default_rng(2)
    bad = random.random(600) < 0.3
    status = pd.Series(np.where(bad, "lost", "paid"))
    status[:30] = "running"
    return pd.DataFrame(
        {
            "No": [f"A-{n}" for n in range(600)],
            "Status": status,
            "Income": random.integers(100, 999, 600).astype(str),
            "Gender": random.choice(["f", "m"], 600),
            "State now": np.where(bad, "with the bailiff", "fine"),
            "Level": np.where(bad, 1, 5).astype(str),
            "loanGrade": random.choice(["A", "B"], 600),
            "Customer id": [str(7 * n) for n in range(600)],
            "Since": "2011-12-01",
            "Day": pd.Series(pd.date_range("2011-01-01", periods=600)).astype(str),
        }
    ).astype("str")


def test_each_column_has_its_place(table: pd.DataFrame):
    made = propose_contract(table, ROLES)
    assert {n: role for n, (_, role, _) in made.columns.items()} == {
        "income": "application",
        "gender": "protected",
    }
    # Neither is named suspiciously; what they tell is suspicious.
    assert set(made.known_after_decision) == {"State now", "Level"}
    assert set(made.left_out) == {"loanGrade", "Customer id", "Since", "Day"}
    assert set(made.undecided) == {
        "Status",
        "Gender",
        "State now",
        "Level",
        "loanGrade",
    }
    assert "AUC of 1.00" in made.undecided["Level"]
    assert made.set_aside == ["running"]
    assert made.bad_rate == pytest.approx(0.3, abs=0.05)


def test_what_is_written_is_a_contract_once_the_questions_are_answered(
    table: pd.DataFrame,
):
    made = propose_contract(table, ROLES)
    text = contract_yaml(made, ROLES, name="lender", title='A "title": with signs')
    said = yaml.safe_load(text)["contract"]
    with pytest.raises(ContractError, match="5 questions wait for a person: Status"):
        contract_from_mapping(said)
    del said["undecided"]
    contract = contract_from_mapping(said)
    named = {column.source: name for name, column in contract.columns.items()}
    rows = table.rename(columns=named)
    rows.insert(0, "source_row", range(2, 602))
    checked = check_rows(rows, contract)
    assert (len(checked.accepted), len(checked.set_aside)) == (570, 30)
    late = said["known_after_decision"]
    assert late == ["State now", "Level"]


def test_a_date_may_place_the_applications_in_time(table: pd.DataFrame):
    roles = Roles("Status", "No", ("lost",), ("paid",), date="Day")
    made = propose_contract(table, roles)
    assert made.columns["day"][1] == "date"
    said = yaml.safe_load(contract_yaml(made, roles, name="l", title="L"))["contract"]
    del said["undecided"]
    assert contract_from_mapping(said).columns["day"].role == "date"
    with pytest.raises(ContractError, match="Income holds no dates"):
        propose_contract(table, Roles("Status", "No", ("lost",), ("paid",), "Income"))


def test_the_policy_follows_the_bad_rate(table: pd.DataFrame):
    made = propose_contract(table, ROLES)
    files = environment_files(
        made, FileForm("cp1252", ";"), name="lender", file="my loans.csv"
    )
    decision = yaml.safe_load(files["parameters_decision.yml"])["decision"]
    scale = {"base_score": 600, "base_odds": 20, "pdo": 40}
    decision["policy"]["history_unavailable_text"] = "x"
    decision["background"]["within_points"] = 20
    policy = DecisionParameters.model_validate({"scaling": scale, **decision}).policy
    assert policy.approve_from > policy.decline_below
    raw = yaml.safe_load(files["catalog_ingestion.yml"])["raw_applications"]
    assert (raw["delimiter"], raw["encoding"]) == (";", "cp1252")


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (Roles("Stat", "No"), "no column Stat in the file; it has No, Status"),
        (Roles("Status", "No"), "says 3 different things: lost, paid, running"),
        (Roles("Status", "No", ("lost",)), "says 3 different things"),
        (Roles("Status", "No", ("gone",)), "never says gone"),
    ],
)
def test_an_outcome_that_is_not_plain_is_asked_for(
    table: pd.DataFrame, roles: Roles, message: str
):
    with pytest.raises(ContractError, match=message):
        propose_contract(table, roles)


def test_an_outcome_of_zero_and_one_needs_no_words(table: pd.DataFrame):
    table["Status"] = np.where(table["Status"] == "lost", "1", "0")
    made = propose_contract(table, Roles("Status", "No"))
    assert (made.outcome, made.set_aside) == ({}, [])


def test_ids_that_cannot_be_used_are_asked_about(table: pd.DataFrame):
    table.loc[:1, "No"] = "a b"
    question = propose_contract(table, ROLES).undecided["No"]
    assert question.startswith("2 rows have an id that is missing or has other signs")
    assert "and 2 share theirs" in question


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("Income (EUR)", "income_eur"),
        ("annualIncome", "annual_income"),
        ("2nd loan", "column_2nd_loan"),
        ("class", "class_value"),
        ("Größe", "gr_e"),
        ("bad", "bad_value"),
    ],
)
def test_names_of_files_become_names_of_an_api(source: str, name: str):
    assert api_name(source) == name
    assert api_name(source, {name: 1}) == f"{name}_2"
