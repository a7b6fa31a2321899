import pytest

from credit_scoring.contract_proposal import suspicion


@pytest.mark.parametrize("name", ["Sex", "ageYears", "marital_status", "ZIP code"])
def test_names_of_protected_attributes_are_noticed(name: str):
    assert suspicion.looks_protected(name)


@pytest.mark.parametrize("name", ["mortgage", "usage", "average_balance", "race2win"])
def test_parts_of_words_are_not(name: str):
    assert suspicion.looks_protected(name) == (name == "race2win")


@pytest.mark.parametrize(
    ("name", "late"),
    [
        ("recoveries", True),
        ("lastPymnt_d", True),
        ("next_due", True),
        ("total_rec_int", True),
        ("amount_collected", True),
        ("inq_last_6mths", False),
        ("pub_rec", False),
        ("payment_amount_1", False),
    ],
)
def test_names_of_what_becomes_of_a_loan_are_noticed(name: str, late: bool):
    assert suspicion.looks_like_the_outcome(name) == late


def test_grades_prices_and_ids_are_noticed():
    assert suspicion.looks_like_the_lenders_decision("int_rate")
    assert not suspicion.looks_like_the_lenders_decision("upgraded")
    assert suspicion.looks_identifying("CustomerNo")
