from credit_scoring.contract.model import Contract
from credit_scoring.decision.feature_sets import feature_set_of


def said(**changes: object) -> dict[str, object]:
    return {"type": "integer", "role": "application", "description": "x", **changes}


def test_a_contract_says_which_categories_are_ordered_and_dates_are_left_out():
    columns = {
        "loan_id": said(source="id", type="string", role="id"),
        "bad": said(source="bad", role="target"),
        "rank": said(source="rank", categories={1: "low", 2: "high"}, ordered=True),
        "kind": said(source="kind", categories={1: "a", 2: "b"}),
        "since": said(source="since", type="date"),
        "sex": said(source="sex", role="protected", categories={1: "f", 2: "m"}),
    }
    contract = Contract.model_validate(
        {"name": "c", "version": 1, "title": "C", "columns": columns}
    )
    features = feature_set_of("generic", contract)
    assert features.names == ("rank_value", "kind_is_a", "kind_is_b")
    assert feature_set_of("taiwan_default", contract).name == "taiwan_default"
