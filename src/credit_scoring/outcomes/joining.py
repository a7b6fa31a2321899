"""Outcomes joined with the decisions that they tell about, by written rules.

The rules are in ``docs/reference/outcomes.md``, in the order in which they apply.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

GOOD, BAD, IMMATURE, DECLINED, UNKNOWN = (
    "good",
    "bad",
    "immature",
    "declined",
    "unknown",
)
STATUSES = (GOOD, BAD, IMMATURE, DECLINED, UNKNOWN)


@dataclass(frozen=True)
class Joined:
    """What came of joining.

    Attributes:
        decisions: The decisions, with ``window_end``, ``status``, ``bad`` (1, 0, or
            missing unless the status is good or bad) and ``observed_at``.
        unmatched: Outcomes that no decision belongs to, as they were reported.
        counts: Outcomes by what became of them.
    """

    decisions: pd.DataFrame
    unmatched: pd.DataFrame
    counts: dict[str, int]


def join_outcomes(
    decisions: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    window_months: int,
    as_of: datetime,
) -> Joined:
    """Give each decision the outcome that it has by a moment.

    Args:
        decisions: As `read_decision_table` gives them.
        outcomes: As `read_outcome_table` gives them.
        window_months: Performance window: a decision matures so many calendar
            months after it was made.
        as_of: What was observed or decided later is not looked at.

    Returns:
        Decisions in their order, each once.
    """
    table = decisions.loc[decisions["scored_at"] <= as_of].reset_index(drop=True)
    table["window_end"] = table["scored_at"] + pd.DateOffset(months=window_months)
    known = outcomes.loc[outcomes["observed_at"] <= as_of]
    key = ["loan_id", "decision_id", "bad", "observed_at"]
    once = known.drop_duplicates(key).reset_index(drop=True)
    once["outcome"] = np.arange(len(once))
    pairs = _pairs(table, once)
    too_early = pairs["observed_at"] < pairs["scored_at"]
    valid = pairs.loc[~too_early]
    late = (valid["bad"] == 1) & (valid["observed_at"] > valid["window_end"])
    within = valid.loc[~late]
    table = _with_newest(table, within)
    table["status"] = _statuses(table, as_of)
    table["bad"] = table["bad"].where(table["status"].isin([GOOD, BAD]))
    unmatched = once.loc[~once["outcome"].isin(pairs["outcome"])]
    counts = {
        "reported": len(outcomes),
        "observed_later": len(outcomes) - len(known),
        "duplicate": len(known) - len(once),
        "unknown_decision": len(unmatched),
        "before_the_decision": _without(once, pairs.loc[too_early], valid),
        "late": int(valid.loc[late, "outcome"].nunique()),
        "matched": int(within["outcome"].nunique()),
        "conflicting_decisions": _conflicting(within),
        "on_declined": int(
            within.loc[within["decision"] == "decline", "outcome"].nunique()
        ),
    }
    return Joined(table, unmatched.drop(columns="outcome"), counts)


def _pairs(table: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Pair each outcome with its decision, or with all decisions on its loan."""
    facts = table[["decision_id", "loan_id", "scored_at", "window_end", "decision"]]
    facts = facts.assign(row=np.arange(len(facts)))
    by_id = outcomes["decision_id"].notna()
    one = outcomes.loc[by_id].merge(facts, on="decision_id", suffixes=("_said", ""))
    # Who names both must be right about both.
    one = one.loc[one["loan_id_said"].isna() | (one["loan_id_said"] == one["loan_id"])]
    several = outcomes.loc[~by_id].drop(columns="decision_id")
    several = several.merge(facts.drop(columns="decision_id"), on="loan_id")
    columns = ["outcome", "row", "bad", "observed_at", "received_at", "scored_at"]
    columns += ["window_end", "decision"]
    return pd.concat([one[columns], several[columns]], ignore_index=True)


def _with_newest(table: pd.DataFrame, within: pd.DataFrame) -> pd.DataFrame:
    """Give each decision its newest outcome; of equally new ones the bad one."""
    order = ["observed_at", "bad", "received_at"]
    newest = within.sort_values(order).drop_duplicates("row", keep="last")
    newest = newest.set_index("row")[["bad", "observed_at"]]
    joined = table.join(newest)
    joined["bad"] = joined["bad"].astype("Int8")
    return joined


def _statuses(table: pd.DataFrame, as_of: datetime) -> Any:
    matured = table["window_end"] <= as_of
    bad = (table["bad"] == 1).fillna(False).to_numpy(bool)
    good = (table["bad"] == 0).fillna(False).to_numpy(bool)
    seen_to_the_end = (table["observed_at"] >= table["window_end"]).to_numpy(bool)
    return np.select(
        [
            (table["decision"] == "decline").to_numpy(bool),
            ~matured.to_numpy(bool),
            bad,
            good & seen_to_the_end,
        ],
        [DECLINED, IMMATURE, BAD, GOOD],
        UNKNOWN,
    )


def _without(once: pd.DataFrame, early: pd.DataFrame, valid: pd.DataFrame) -> int:
    """Count outcomes that lie before all decisions that they could tell about."""
    only_early = set(early["outcome"]) - set(valid["outcome"])
    return int(once["outcome"].isin(only_early).sum())


def _conflicting(within: pd.DataFrame) -> int:
    """Count decisions with outcomes that say both."""
    return int((within.groupby("row")["bad"].nunique() > 1).sum())
