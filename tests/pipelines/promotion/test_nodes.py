import pandas as pd
import pytest

from credit_scoring.contract.model import Contract
from credit_scoring.errors import PromotionError
from credit_scoring.pipelines.promotion.nodes import (
    confirm_champion,
    select_applications,
)


def test_applications_of_a_split_keep_their_order_and_no_protected_column(
    validated_applications: pd.DataFrame, splits: pd.DataFrame, contract: Contract
) -> None:
    shuffled = splits.sample(frac=1, random_state=1)
    chosen = select_applications(validated_applications, shuffled, contract)
    assert list(chosen["test"].columns) == ["limit", "debt", "late", "bad"]
    assert chosen["training"]["debt"].tolist() == (
        validated_applications["debt"].iloc[0::4].tolist()
    )
    assert chosen["test"]["bad"].tolist() == splits["bad"].iloc[3::4].tolist()


def test_protected_columns_lie_beside_the_test_rows_alone(
    validated_applications: pd.DataFrame, splits: pd.DataFrame, contract: Contract
) -> None:
    shuffled = splits.sample(frac=1, random_state=1)
    chosen = select_applications(validated_applications, shuffled, contract)
    assert list(chosen["protected"].columns) == ["age_years"]
    assert chosen["protected"]["age_years"].tolist() == (
        validated_applications["age_years"].iloc[3::4].tolist()
    )
    assert "age_years" not in chosen["training"]


def test_a_split_without_rows_is_named(
    validated_applications: pd.DataFrame, splits: pd.DataFrame, contract: Contract
) -> None:
    only_train = splits.assign(split="train")
    with pytest.raises(PromotionError, match=r"no rows in split 'test': 400 .* train"):
        select_applications(validated_applications, only_train, contract)


def test_a_champion_in_the_record_is_confirmed() -> None:
    confirm_champion({"champion": {"version": 1}})


def test_a_record_without_champion_names_the_gates() -> None:
    gate = {"name": "auc", "passed": False, "why": "0.5 is 0.2 too low"}
    record = {"champion": None, "candidates": [{"family": "b", "gates": [gate]}]}
    with pytest.raises(PromotionError, match=r"b: auc \(0\.5 is 0\.2 too low\)"):
        confirm_champion(record)
    with pytest.raises(PromotionError, match="unknown"):
        confirm_champion({})
