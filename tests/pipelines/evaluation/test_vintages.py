import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from credit_scoring.contract.model import Contract
from credit_scoring.pipelines.evaluation.parameters import EvaluationParameters
from credit_scoring.pipelines.evaluation.vintages import COLUMNS, tabulate_vintages


def contract(role: str) -> Contract:
    columns = {
        "loan_id": {"source": "id", "type": "string", "role": "id"},
        "issued_on": {"source": "d", "type": "date", "role": role},
        "bad": {"source": "b", "type": "integer", "role": "target"},
    }
    said = {name: {**column, "description": "x"} for name, column in columns.items()}
    return Contract.model_validate(
        {"name": "c", "version": 1, "title": "C", "columns": said}
    )


@pytest.fixture
def predictions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "loan_id": list("abcdef"),
            "split": ["train"] * 4 + ["test"] * 2,
            "bad": [0, 1, 0, 1, 0, 0],
            "pd": [0.1, 0.2, 0.3, 0.4, 0.1, 0.3],
        }
    )


@pytest.fixture
def applications() -> pd.DataFrame:
    days = ["2010-01-01", "2010-02-01", "2010-03-31", "2010-01-05", "2010-04-01"]
    return pd.DataFrame(
        {"loan_id": list("fedcba"), "issued_on": pd.to_datetime([*days, "2010-04-02"])}
    )


def test_each_period_has_its_figures(predictions, applications):
    table = tabulate_vintages(
        predictions, applications, contract("date"), EvaluationParameters()
    )
    assert list(table.columns) == list(COLUMNS)
    assert table[["vintage", "split"]].to_numpy().tolist() == [
        ["2010Q1", "test"],
        ["2010Q1", "train"],
        ["2010Q2", "train"],
    ]
    assert table["rows"].tolist() == [2, 2, 2]
    assert table["bad_rate"].tolist() == [0, 0.5, 0.5]
    assert table["mean_pd"].tolist() == pytest.approx([0.2, 0.35, 0.15])
    assert table["auc"].isna().tolist() == [True, False, False]
    assert table["auc"][1] == roc_auc_score([0, 1], [0.3, 0.4])


def test_without_a_date_there_are_no_vintages(predictions, applications):
    table = tabulate_vintages(
        predictions, applications, contract("protected"), EvaluationParameters()
    )
    assert table.empty
    assert list(table.columns) == list(COLUMNS)
