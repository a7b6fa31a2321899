"""Every figure of the data card, computed again from the file."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import binomtest

from credit_scoring.contract.model import Contract
from credit_scoring.contract.rows import check_rows

CARD = Path(__file__).parents[2] / "docs" / "reference" / "data-card.md"
MONTHS = range(1, 7)


@pytest.fixture(scope="module")
def card() -> str:
    return CARD.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def accepted(real_applications: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    return check_rows(real_applications, contract).accepted


@pytest.fixture(scope="module")
def raw(real_table: pd.DataFrame) -> pd.DataFrame:
    return real_table.astype(float)


def rows_of(card: str, heading: str) -> list[list[str]]:
    section = card.split(f"## {heading}\n")[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def group_of(name: str, accepted: pd.DataFrame, contract: Contract) -> pd.Series:
    if name == "all":
        return pd.Series(True, index=accepted.index)
    column, label = name.split(": ")
    if column == "age":
        low, high = label.split(" to ")
        return accepted["age_years"].between(int(low), int(high))
    meanings = contract.columns[column].categories or {}
    [code] = [code for code, meaning in meanings.items() if meaning == label]
    return accepted[column] == code


def test_rates_by_group_are_those_of_the_data(
    card: str, accepted: pd.DataFrame, contract: Contract
):
    rows = rows_of(card, "Default rates by group")
    groups = {}
    for name, *figures in rows:
        chosen = group_of(name, accepted, contract)
        groups[name] = chosen
        n, bad = (
            int(chosen.sum()),
            int(accepted.loc[chosen, "default_next_month"].sum()),
        )
        interval = binomtest(bad, n).proportion_ci(method="wilson")
        assert figures == [
            f"{n:,}",
            f"{bad:,}",
            f"{bad / n:.2%}",
            f"{interval.low:.2%} to {interval.high:.2%}",
        ], name
    for column in ("sex", "education", "marriage", "age"):
        parts = [chosen for name, chosen in groups.items() if name.startswith(column)]
        assert (sum(part.astype(int) for part in parts) == 1).all(), column


def test_undocumented_codes_are_those_of_the_data(card: str, raw: pd.DataFrame):
    rows = rows_of(card, "Codes outside the published dictionary")
    for column, code, cells, rate, _ in rows:
        chosen = raw[column] == float(code)
        assert cells == f"{chosen.sum():,}", (column, code)
        assert rate == f"{raw.loc[chosen, 'DEFAULT'].mean():.2%}", (column, code)
    documented = {
        "EDUCATION": range(1, 5),
        "MARRIAGE": range(1, 4),
        **{f"PAY_{n}": [-1, *range(1, 10)] for n in (0, 2, 3, 4, 5, 6)},
    }
    expected = {
        (column, str(int(code)))
        for column, codes in documented.items()
        for code in set(raw[column]) - set(codes)
    }
    assert {(column, code) for column, code, *_ in rows} == expected


def sharing(raw: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    same = raw[raw.duplicated(columns, keep=False)]
    return same.groupby(columns)["DEFAULT"].agg(["size", "nunique"])


STATEMENTS: list[tuple[str, Callable[[pd.DataFrame], list[float]]]] = [
    (
        "{:,} of the {:,} accounts with PAY_0 = -2 have a positive bill",
        lambda raw: [
            ((raw.PAY_0 == -2) & (raw.BILL_AMT1 > 0)).sum(),
            (raw.PAY_0 == -2).sum(),
        ],
    ),
    (
        "Negative bills are credits, not errors: {:,} accounts",
        lambda raw: [(raw.filter(like="BILL") < 0).any(axis=1).sum()],
    ),
    (
        "{:,} accounts owe more than their limit in month 1",
        lambda raw: [(raw.BILL_AMT1 > raw.LIMIT_BAL).sum()],
    ),
    (
        "is common in PAY_0 ({:,} accounts) and almost absent before: {} in PAY_2, "
        "{} in PAY_3, {} in PAY_4, none in PAY_5 and PAY_6",
        lambda raw: [(raw[f"PAY_{n}"] == 1).sum() for n in (0, 2, 3, 4)],
    ),
    (
        "Equal rows: {} accounts share all columns but `ID` and the outcome with "
        "another account ({} groups; in {} of them, {} accounts, the outcomes differ)",
        lambda raw: [
            (same := sharing(raw, [*raw.columns[1:-1]]))["size"].sum(),
            len(same),
            (differ := same[same["nunique"] > 1])["size"].count(),
            differ["size"].sum(),
        ],
    ),
    (
        "Without the protected columns {} accounts ({} groups, the largest of {}) are",
        lambda raw: [
            (same := sharing(raw, ["LIMIT_BAL", *raw.columns[6:-1]]))["size"].sum(),
            len(same),
            same["size"].max(),
        ],
    ),
    (
        "{} accounts have no bill and no payment in any of the six months, and "
        "{:.2f} % of these are bad",
        lambda raw: [
            (idle := (raw.filter(like="_AMT") == 0).all(axis=1)).sum(),
            100 * raw.DEFAULT[idle].mean(),
        ],
    ),
]


@pytest.mark.parametrize(("sentence", "figures"), STATEMENTS)
def test_statement_of_the_card_holds(
    card: str,
    raw: pd.DataFrame,
    sentence: str,
    figures: Callable[[pd.DataFrame], list[float]],
):
    words = " ".join(card.split())
    assert sentence.format(*figures(raw)) in words


def test_card_names_the_file_by_its_digest(card: str, real_table: pd.DataFrame):
    assert f"`{real_table.attrs['sha256']}`" in card


def test_no_cell_is_empty_and_no_id_stands_twice(real_table: pd.DataFrame):
    assert not real_table.isna().any(axis=None)
    assert real_table["ID"].is_unique
