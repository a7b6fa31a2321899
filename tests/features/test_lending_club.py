from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_scoring.contract.loading import contract_from_yaml
from credit_scoring.contract.rules import code_of_label
from credit_scoring.features import lending_club_loan as loan
from credit_scoring.features.definition import load_feature_set
from credit_scoring.features.lending_club import FEATURE_SET

CONTRACT = contract_from_yaml(
    Path(__file__).parents[2] / "conf" / "lending_club" / "parameters_contract.yml"
)
APPLICANT = {
    "loan_amount": 12000.0,
    "term_months": 60.0,
    "annual_income": 48000.0,
    "employment_years": 10.0,
    "home_ownership": 3.0,
    "purpose": 12.0,
    "debt_to_income_percent": 20.0,
    "delinquencies_2y": 1.0,
    "inquiries_6m": 2.0,
    "months_since_delinquency": 7.0,
    "months_since_public_record": np.nan,
    "open_accounts": 5.0,
    "total_accounts": 20.0,
    "public_records": 1.0,
    "revolving_balance": 6000.0,
    "revolving_utilisation": 0.75,
}


def computed(**changes: float) -> dict[str, float]:
    columns = {n: np.array([v]) for n, v in {**APPLICANT, **changes}.items()}
    return dict(
        zip(FEATURE_SET.names, FEATURE_SET.compute(columns)[0].tolist(), strict=True)
    )


def test_the_set_is_found_by_its_name():
    assert load_feature_set("lending_club") is FEATURE_SET


def test_features_read_inputs_of_the_contract_alone():
    # Bankruptcies are for the policy: the file lacks them in the oldest loans.
    read = set(FEATURE_SET.inputs)
    assert read == set(CONTRACT.input_names) - {"public_record_bankruptcies"}
    assert read == set(APPLICANT)


def test_codes_are_those_of_the_contract():
    homes = code_of_label(CONTRACT.columns["home_ownership"])
    assert (homes["MORTGAGE"], homes["OWN"], homes["RENT"]) == (
        loan.MORTGAGE,
        loan.OWN,
        loan.RENT,
    )
    for label, code in code_of_label(CONTRACT.columns["purpose"]).items():
        if hasattr(loan, label.upper()):
            assert getattr(loan, label.upper()) == code
    assert hasattr(loan, "SMALL_BUSINESS")


def test_features_of_an_applicant_worked_by_hand():
    found = computed()
    assert found["loan_to_income"] == 0.25
    assert found["repayment_to_income"] == 0.05
    assert found["payments_to_income_with_loan"] == 0.25
    assert (found["home_rented"], found["home_owned"]) == (1.0, 0.0)
    assert (found["for_small_business"], found["for_credit_card"]) == (1.0, 0.0)
    assert found["records_in_public"] == 1.0
    assert found["share_of_accounts_open"] == 0.25
    assert found["revolving_limits"] == 8000.0
    assert found["loan_to_revolving_limits"] == 1.5
    assert np.isnan(found["months_since_record"])


@pytest.mark.parametrize(
    ("purpose", "name"),
    [
        *[(code, "for_planned_spending") for code in (1.0, 5.0, 7.0, 14.0)],
        *[(code, "for_need") for code in (4.0, 8.0, 9.0, 10.0)],
        (2.0, "for_credit_card"),
        (3.0, "for_debt_consolidation"),
        (12.0, "for_small_business"),
    ],
)
def test_a_purpose_belongs_to_one_group(purpose: float, name: str):
    found = computed(purpose=purpose)
    groups = {n: v for n, v in found.items() if n.startswith("for_")}
    assert [n for n, v in groups.items() if v] == [name]
    assert groups[name] == 1.0


def test_without_credit_limits_the_ratio_is_at_its_cap():
    found = computed(revolving_balance=0.0, revolving_utilisation=0.0)
    assert found["revolving_limits"] == 0.0
    assert found["loan_to_revolving_limits"] == 100.0


VALUES = st.one_of(
    st.just(np.nan), st.floats(0, 1e7, allow_subnormal=False), st.integers(0, 60)
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[VALUES] * len(APPLICANT)), min_size=1, max_size=6))
def test_request_and_pipeline_get_the_same_bits(rows: list[tuple[float, ...]]):
    table = np.array(rows, dtype=np.float64)
    columns = dict(zip(APPLICANT, table.T, strict=True))
    with np.errstate(all="ignore"):
        whole = FEATURE_SET.compute(columns)
        one_by_one = [
            FEATURE_SET.compiled.compute({n: v[i : i + 1] for n, v in columns.items()})
            for i in range(len(rows))
        ]
    assert np.vstack(one_by_one).tobytes() == whole.tobytes()
