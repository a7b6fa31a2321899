"""What is known of outcomes, and what selection does to each figure."""

from typing import Any

import pandas as pd

from credit_scoring.outcomes.joining import BAD, GOOD, STATUSES, Joined

# Only who was given a loan can have an outcome. What that does to what is measured.
SELECTION = {
    "bad_rate": (
        "of those with an outcome, not of applicants: the declined, with higher PDs, "
        "have none, so it is lower than that of all applicants would be"
    ),
    "calibration": (
        "holds for the range of PDs that is approved; nothing is said of the declined. "
        "Where people approve some of the referred, those are not a sample of them"
    ),
    "discrimination": (
        "AUC, Gini and KS are lower than among all applicants: the model itself has "
        "taken away the range in which it tells most; compare models on the same "
        "applicants only"
    ),
    "challenger": (
        "whom it would approve and the champion declined has no outcome, so what it "
        "would gain there is not seen; whom it would decline and the champion approved "
        "is seen"
    ),
    "reasons_and_bands": (
        "bad rates of bands below the cut-offs rest on referred applicants whom a "
        "person approved, if on anybody"
    ),
}


def outcomes_report(
    joined: Joined, *, window_months: int, as_of: str, rejected_rows: int
) -> dict[str, Any]:
    """Count decisions by status, and set those with an outcome beside all.

    Args:
        joined: Decisions and their outcomes.
        window_months: Performance window.
        as_of: Moment of the report.
        rejected_rows: Rows of files that are no outcomes.
    """
    table = joined.decisions
    matured = table["status"].isin([GOOD, BAD])
    statuses = {name: int((table["status"] == name).sum()) for name in STATUSES}
    return {
        "as_of": as_of,
        "window_months": window_months,
        "outcomes": {**joined.counts, "rejected_rows": rejected_rows},
        "decisions": len(table),
        "statuses": statuses,
        "statuses_by_decision": _counted(table, "decision"),
        "statuses_by_arm": _counted(table, "arm"),
        "figures": {
            "bad_rate": _share(table.loc[matured, "bad"]),
            "mean_pd_with_outcome": _mean(table.loc[matured, "pd"]),
            "mean_pd_of_all": _mean(table["pd"]),
            "score_deviation_with_outcome": _deviation(table.loc[matured, "score"]),
            "score_deviation_of_all": _deviation(table["score"]),
            "share_declined": _share(table["decision"] == "decline"),
        },
        "selection": SELECTION,
    }


def _counted(table: pd.DataFrame, by: str) -> dict[str, dict[str, int]]:
    counts = pd.crosstab(table[by], table["status"])
    return {
        str(group): {str(name): int(n) for name, n in row.items() if n}
        for group, row in counts.to_dict("index").items()
    }


def _share(values: pd.Series) -> float | None:
    return float(values.astype("float64").mean()) if len(values) else None


def _mean(values: pd.Series) -> float | None:
    present = values.dropna()
    return float(present.mean()) if len(present) else None


def _deviation(values: pd.Series) -> float | None:
    present = values.dropna()
    return float(present.std()) if len(present) > 1 else None
