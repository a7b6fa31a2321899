from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from credit_scoring.decision.parameters import DecisionParameters
from credit_scoring.decision.policy import Condition, Policy
from credit_scoring.errors import PolicyError

NAMES = {"columns": ("amount",), "features": ("late",), "reasons": ("DEBT",)}


def values_with(policy: Policy, **changes: Any) -> dict[str, Any]:
    return {**policy.model_dump(mode="json", by_alias=True), **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decline_below": 530}, "decline_below is above approve_from"),
        ({"approve_from": 521}, "no band starts at the cut-off 521"),
        ({"bands": [{"code": "A", "from": 520}]}, "last band, and no other"),
        (
            {"bands": [{"code": "A"}, {"code": "B", "from": 480}, {"code": "C"}]},
            "last band, and no other",
        ),
        (
            {
                "bands": [
                    {"code": "A", "from": 480},
                    {"code": "B", "from": 520},
                    {"code": "C"},
                ]
            },
            "from the highest score to the lowest",
        ),
        (
            {
                "bands": [
                    {"code": "A", "from": 520},
                    {"code": "A", "from": 480},
                    {"code": "C"},
                ]
            },
            "bands have the same code: A",
        ),
        (
            {
                "bands": [
                    {"code": "Z", "from": 600.05},
                    {"code": "A", "from": 520},
                    {"code": "B", "from": 480},
                    {"code": "C"},
                ]
            },
            "tenths of a point",
        ),
        ({"approve_from": float("nan")}, "finite"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(
    policy: Policy, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Policy.model_validate(values_with(policy, **changes))


def rule(**changes: Any) -> dict[str, Any]:
    return {
        "code": "R",
        "outcome": "refer",
        "text": "t",
        "when": {"column": "amount", "at_least": 1},
        **changes,
    }


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([rule(), rule()], "rules have the same code: R"),
        ([rule(code="HISTORY_UNAVAILABLE")], "same code: HISTORY_UNAVAILABLE"),
        ([rule(outcome="approve")], "refer"),
        ([rule(code="lower")], "pattern"),
        ([rule(text="")], "at least 1"),
        ([rule(when={"at_least": 1})], "one of column and feature"),
        (
            [rule(when={"column": "a", "feature": "b", "at_least": 1})],
            "one of column and feature",
        ),
        ([rule(when={"column": "a"})], "one of at_least, at_most and equals"),
        (
            [rule(when={"column": "a", "at_least": 1, "equals": 1})],
            "one of at_least, at_most and equals",
        ),
    ],
)
def test_a_rule_that_cannot_be_asked_is_refused(
    policy: Policy, rules: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Policy.model_validate(values_with(policy, rules=rules))


def test_rules_that_look_at_known_names_pass(policy: Policy) -> None:
    policy.check_names(**NAMES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": ("sex",)}, "rule R_BIG looks at the column 'amount'.* the 1 "),
        ({"features": ()}, "rule R_LATE looks at the feature 'late'"),
        ({"reasons": ("R_LATE",)}, "at once: R_LATE"),
        ({"reasons": ("HISTORY_UNAVAILABLE",)}, "at once: HISTORY_UNAVAILABLE"),
    ],
)
def test_a_rule_on_an_unknown_name_or_with_a_taken_code_is_refused(
    policy: Policy, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(PolicyError, match=message):
        policy.check_names(**{**NAMES, **changes})


def test_columns_that_rules_need_are_named_once(policy: Policy) -> None:
    assert policy.columns() == ("amount",)


def test_version_follows_the_content(policy: Policy) -> None:
    same = Policy.model_validate(values_with(policy))
    other = Policy.model_validate(values_with(policy, rules=[]))
    assert len(policy.version) == 16
    assert same.version == policy.version != other.version


def test_shipped_parameters_are_a_valid_policy() -> None:
    path = Path(__file__).parents[2] / "conf/base/parameters_decision.yml"
    shipped = yaml.safe_load(path.read_text())["decision"]
    parameters = DecisionParameters.model_validate(shipped)
    assert parameters.background.minimum_rows >= 1000
    assert parameters.policy.columns() == ("credit_limit", "repayment_status_1")


def test_the_training_range_is_looked_at_alone() -> None:
    with pytest.raises(ValidationError, match="stands alone, not beside column"):
        Condition.model_validate({"column": "days", "outside_training": 1})
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        Condition.model_validate({"outside_training": 0})
