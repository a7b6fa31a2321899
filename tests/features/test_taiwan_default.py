import math
import statistics
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from credit_scoring.features.definition import load_feature_set
from credit_scoring.features.taiwan_default import FEATURE_SET, REASONS

BILLS = [50_000, 40_000, 120_000, 0, -1_000, 20_000]
PAYMENTS = [10_000, 0, 30_000, 5_000, 2_000, 4_000]

WORKED = {
    "CREDIT_LIMIT": {"credit_limit_granted": 100_000, "unused_limit": 50_000},
    "UTILISATION": {
        "utilisation_now": 0.5,
        "utilisation_previous": 0.4,
        "utilisation_mean_6m": 229_000 / 6 / 100_000,
        "utilisation_highest_6m": 1.2,
        "utilisation_lowest_6m": -0.01,
        "months_over_limit_6m": 1,
    },
    "BALANCE_CHANGE": {
        "utilisation_change_1m": 0.1,
        "utilisation_change_3m": 0.5,
        "utilisation_trend_6m": -float(
            np.polyfit(np.arange(6), np.array(BILLS) / 100_000, 1)[0]
        ),
        "utilisation_volatility_6m": statistics.pstdev(BILLS) / 100_000,
    },
    "SPENDING": {
        "spending_now": 20_000,
        "spending_share_of_limit_now": 0.2,
        "spending_share_of_limit_5m": 0.154,
    },
    "PAYMENT_RATIO": {
        "payment_ratio_now": 0.25,
        "payment_ratio_previous": 0,
        "payment_ratio_3m": 0.25,
        "payment_ratio_5m": 47 / 179,
        "payment_ratio_lowest_5m": 0,
        "balance_after_payment": 0.3,
    },
    "MISSED_PAYMENTS": {"months_without_payment_6m": 1, "unpaid_bills_5m": 1},
    "PAYMENT_SIZE": {
        "payment_newest": 10_000,
        "payment_lowest_3m": 0,
        "payment_lowest_6m": 0,
        "payment_mean_6m": 8_500,
    },
    "PAYMENT_PATTERN": {
        "payment_share_of_limit_now": 0.1,
        "payment_share_of_limit_3m": 0.4,
        "payment_volatility_6m": statistics.pstdev(PAYMENTS) / 8_500,
        "payment_change_3m": 0.29,
    },
    "RECENT_DELINQUENCY": {
        "repayment_status_now": 2,
        "months_late_now": 2,
        "months_late_previous": 0,
        "months_late_worst_3m": 2,
        "late_months_3m": 1,
        "months_since_late": 0,
        "late_streak": 1,
        "late_balance": 0.5,
    },
    "DELINQUENCY_HISTORY": {
        "months_late_worst_6m": 3,
        "months_late_sum_6m": 6,
        "months_late_weighted_6m": 22 / 21,
        "late_months_6m": 3,
        "months_two_late_6m": 2,
    },
    "STATUS_CHANGE": {"status_change_1m": 2, "status_change_3m": -1},
    "ACCOUNT_USE": {
        "months_without_use_6m": 1,
        "months_paid_in_full_6m": 1,
        "months_revolving_6m": 1,
    },
}


def one(account, **changes):
    changed = {name: np.array([float(value)]) for name, value in changes.items()}
    row = FEATURE_SET.compute({**account, **changed})[0]
    return dict(zip(FEATURE_SET.names, row, strict=True))


def bits(matrix):
    return np.ascontiguousarray(matrix).view(np.uint64)


@pytest.mark.parametrize("reason", WORKED)
def test_features_equal_values_worked_by_hand(account, reason):
    found = one(account)
    assert {name: found[name] for name in WORKED[reason]} == pytest.approx(
        WORKED[reason], rel=1e-12
    )


def test_every_feature_is_worked_by_hand_under_its_reason():
    worked = {name: code for code, group in WORKED.items() for name in group}
    assert worked == {f.name: f.reason for f in FEATURE_SET.features}


def test_every_reason_has_features_and_reads_as_a_sentence():
    assert set(REASONS) == {f.reason for f in FEATURE_SET.features}
    for sentence in REASONS.values():
        assert sentence.endswith(".")
        assert sentence[0].isupper()


def test_no_feature_reads_a_protected_column():
    protected = {"sex", "education", "marriage", "age_years"}
    assert protected.isdisjoint(FEATURE_SET.inputs)


def test_every_docstring_tells_unit_range_and_missing_values():
    for feature in FEATURE_SET.features:
        text = feature.function.__doc__
        assert "Unit:" in text
        assert "Range:" in text
        assert "NaN if" in text


@pytest.mark.parametrize(
    ("statuses", "since", "streak"),
    [
        ([0, 0, 0, 0, 0, 0], 6, 0),
        ([0, 0, 0, 0, 0, 1], 5, 0),
        ([-1, 0, 2, 0, 0, 1], 2, 0),
        ([1, 0, 2, 0, 0, 1], 0, 1),
        ([1, 2, 3, 0, 4, 1], 0, 3),
        ([8, 8, 8, 8, 8, 8], 0, 6),
    ],
)
def test_recency_and_streak_of_late_payments(account, statuses, since, streak):
    months = {f"repayment_status_{n + 1}": s for n, s in enumerate(statuses)}
    found = one(account, **months)
    assert (found["months_since_late"], found["late_streak"]) == (since, streak)


@pytest.mark.parametrize(
    ("bill", "payment", "ratio"),
    [(0, 0, 1), (0, 500, 1), (-20, 0, 1), (100, 900, 2), (100, 0, 0), (0.5, 0.25, 0.5)],
)
def test_payment_ratio_is_one_without_a_bill_and_at_most_two(
    account, bill, payment, ratio
):
    found = one(account, bill_amount_2=bill, payment_amount_1=payment)
    assert found["payment_ratio_now"] == ratio


def test_payments_that_never_come_have_no_volatility(account):
    never = {f"payment_amount_{month}": 0 for month in range(1, 7)}
    assert one(account, **never)["payment_volatility_6m"] == 0


def test_a_limit_below_one_counts_as_one(account):
    assert one(account, credit_limit=0)["utilisation_now"] == 50_000


def test_late_balance_is_zero_when_payment_is_on_time(account):
    assert one(account, repayment_status_1=0)["late_balance"] == 0


def test_a_feature_is_missing_exactly_where_an_input_is(account):
    for name in FEATURE_SET.inputs:
        found = one(account, **{name: math.nan})
        missing = {feature for feature, value in found.items() if math.isnan(value)}
        assert missing == {f.name for f in FEATURE_SET.features if name in f.inputs}


amounts = st.floats(-1e7, 2e7) | st.integers(-10, 10).map(float)


@given(
    limit=st.floats(0, 1e7),
    bills=st.lists(amounts, min_size=6, max_size=6),
    payments=st.lists(amounts.map(abs), min_size=6, max_size=6),
    statuses=st.lists(st.integers(-2, 9), min_size=6, max_size=6),
)
def test_features_are_finite_within_the_contract(limit, bills, payments, statuses):
    columns = {"credit_limit": np.array([limit])}
    for month in range(6):
        columns[f"bill_amount_{month + 1}"] = np.array([bills[month]])
        columns[f"payment_amount_{month + 1}"] = np.array([payments[month]])
        columns[f"repayment_status_{month + 1}"] = np.array([float(statuses[month])])
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(FEATURE_SET.compute(columns)).all()


def test_every_feature_depends_on_each_of_its_inputs(accounts):
    before = FEATURE_SET.compute(accounts)
    rng = np.random.default_rng(1)
    for name in FEATURE_SET.inputs:
        after = FEATURE_SET.compute({**accounts, name: rng.permutation(accounts[name])})
        changed = {
            feature.name
            for place, feature in enumerate(FEATURE_SET.features)
            if (before[:, place] != after[:, place]).any()
        }
        assert changed == {f.name for f in FEATURE_SET.features if name in f.inputs}


def test_one_row_has_the_bits_that_it_has_among_many(accounts):
    whole = FEATURE_SET.compute(accounts)
    for row in range(0, len(whole), 97):
        alone = FEATURE_SET.compute({n: c[row : row + 1] for n, c in accounts.items()})
        assert (bits(alone) == bits(whole[row : row + 1])).all()


@pytest.mark.parametrize("offset", [0, 1, 3, 1001])
def test_a_million_rows_have_the_bits_of_few(accounts, offset):
    few = bits(FEATURE_SET.compute(accounts))
    tiles = 320 if offset == 0 else 3
    tiled = {name: np.tile(column, tiles)[offset:] for name, column in accounts.items()}
    many = bits(FEATURE_SET.compute(tiled))
    assert len(many) == tiles * len(few) - offset
    assert (many[: len(few) - offset] == few[offset:]).all()
    for start in range(len(few) - offset, len(many), len(few)):
        assert (many[start : start + len(few)] == few).all()


def test_strided_reversed_and_read_only_columns_give_the_same_bits(accounts):
    whole = bits(FEATURE_SET.compute(accounts))
    frame = pd.DataFrame(accounts)
    rows = np.asfortranarray(frame.to_numpy())[:, : len(accounts)]
    strided = {n: np.ascontiguousarray(rows)[:, i] for i, n in enumerate(frame)}
    reverse = {name: column[::-1] for name, column in accounts.items()}
    fixed = {name: column.copy() for name, column in accounts.items()}
    for column in fixed.values():
        column.flags.writeable = False
    assert (bits(FEATURE_SET.compute(strided)) == whole).all()
    assert (bits(FEATURE_SET.compute(reverse)) == whole[::-1]).all()
    assert (bits(FEATURE_SET.compute(fixed)) == whole).all()


def test_directions_hold_on_the_shipped_accounts(shipped):
    columns = {n: shipped[n].to_numpy() for n in FEATURE_SET.inputs}
    matrix = FEATURE_SET.compute(columns)
    for place, feature in enumerate(FEATURE_SET.features):
        auc = roc_auc_score(shipped["bad"], matrix[:, place])
        if feature.direction:
            assert feature.direction * (auc - 0.5) > 0.01, feature.name


def test_the_feature_set_is_found_by_name():
    assert load_feature_set("taiwan_default") is FEATURE_SET


def test_version_is_the_same_in_every_process():
    code = (
        "from credit_scoring.features.taiwan_default import FEATURE_SET;"
        "print(FEATURE_SET.version('contract'))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert printed.strip() == FEATURE_SET.version("contract")
