"""Decisions and outcomes out of their logs, as tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from credit_scoring.decision_log.reader import Logged, verify_log
from credit_scoring.decision_log.records import (
    DecisionEntry,
    OutcomeEntry,
    ShadowEntry,
)
from credit_scoring.errors import OutcomeError

DECISION_COLUMNS: Mapping[str, str] = {
    "decision_id": "str",
    "loan_id": "str",
    "scored_at": "datetime64[us, UTC]",
    "arm": "str",
    "role": "str",
    "model_version": "str",
    "model_digest": "str",
    "policy_version": "str",
    "pd": "float64",
    "margin": "float64",
    "score": "float64",
    "decision": "str",
}
CHALLENGER_COLUMNS: Mapping[str, str] = {
    "decision_id": "str",
    "challenger_pd": "float64",
    "challenger_margin": "float64",
    "challenger_score": "float64",
    "challenger_decision": "str",
    "challenger_digest": "str",
}
_OF_ENTRY = tuple(n for n in DECISION_COLUMNS if "model" not in n and n != "role")
_OF_SHADOW = ("pd", "margin", "score", "decision")
OUTCOME_COLUMNS: Mapping[str, str] = {
    "loan_id": "str",
    "decision_id": "str",
    "bad": "int64",
    "observed_at": "datetime64[us, UTC]",
    "received_at": "datetime64[us, UTC]",
}


def table_of(rows: list[Any], columns: Mapping[str, str]) -> pd.DataFrame:
    """Make a table with the columns' types, also of no rows."""
    return pd.DataFrame(rows, columns=list(columns)).astype(dict(columns))


def read_decision_table(folder: Path, carried: Sequence[str] = ()) -> pd.DataFrame:
    """Read all decisions, each with what the challenger made of it, if it did.

    Args:
        folder: Of the decision log.
        carried: Inputs of the applications that are wanted beside the decisions,
            as numbers; NaN where one was not given.

    Raises:
        DecisionLogError: If the log cannot be read.
        OutcomeError: If it was changed: outcomes prove nothing of such decisions.
    """
    decisions: list[Any] = []
    shadows: list[Any] = []

    def hear(logged: Logged[Any]) -> None:
        entry = logged.entry
        if isinstance(entry, DecisionEntry):
            model = entry.model
            decisions.append(
                {
                    "role": model.role,
                    "model_version": model.version,
                    "model_digest": model.digest,
                    **{name: getattr(entry, name) for name in _OF_ENTRY},
                    **{name: entry.inputs.get(name) for name in carried},
                }
            )
        elif isinstance(entry, ShadowEntry):
            shadows.append(
                {
                    "decision_id": entry.decision_id,
                    "challenger_digest": entry.model.digest,
                    **{f"challenger_{n}": getattr(entry, n) for n in _OF_SHADOW},
                }
            )

    _read(folder, hear)
    inputs = dict.fromkeys(carried, "float64")
    table = table_of(decisions, {**DECISION_COLUMNS, **inputs})
    followed = table_of(shadows, CHALLENGER_COLUMNS).drop_duplicates("decision_id")
    return table.merge(followed, on="decision_id", how="left")


def read_outcome_table(folder: Path) -> pd.DataFrame:
    """Read all outcomes that the service has taken; none if it never took one.

    Raises:
        DecisionLogError: If the log cannot be read.
        OutcomeError: If it was changed.
    """
    outcomes: list[OutcomeEntry] = []

    def hear(logged: Logged[Any]) -> None:
        if isinstance(logged.entry, OutcomeEntry):
            outcomes.append(logged.entry)

    if folder.is_dir():
        _read(folder, hear)
    return outcome_table(outcomes)


def outcome_table(outcomes: list[OutcomeEntry]) -> pd.DataFrame:
    """Put outcomes into a table."""
    rows = [
        (one.loan_id, one.decision_id, one.bad, one.observed_at, one.received_at)
        for one in outcomes
    ]
    return table_of(rows, OUTCOME_COLUMNS)


def _read(folder: Path, hear: Any) -> None:
    report = verify_log(folder, heard=hear)
    if report.faults:
        first = "; ".join(str(fault) for fault in report.faults[:3])
        raise OutcomeError(
            f"{len(report.faults)} faults in the chain of the log {folder.name}; "
            f"nothing is joined with records that were changed. First: {first}"
        )
