"""Nodes of the outcomes pipeline."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from credit_scoring.decision_log.records import OutcomeEntry
from credit_scoring.outcomes.decisions import (
    outcome_table,
    read_decision_table,
    read_outcome_table,
)
from credit_scoring.outcomes.joining import join_outcomes
from credit_scoring.outcomes.report import outcomes_report
from credit_scoring.outcomes.rows import FIELDS, read_outcome
from credit_scoring.pipelines.outcomes.parameters import OutcomesParameters


def gather_outcomes(outcome_log: Path, outcome_files: pd.DataFrame) -> dict[str, Any]:
    """Put the outcomes of the service and those of files together.

    Args:
        outcome_log: Folder of the service's log; it need not exist.
        outcome_files: Cells as text, with ``source_file`` and ``source_row``.

    Returns:
        ``outcomes``; ``rejected``: each fault with file, row and field.
    """
    received_at = datetime.now(UTC)
    read: list[OutcomeEntry] = []
    rejected: list[dict[str, Any]] = []
    for cells in outcome_files.to_dict("records"):
        file, row = cells.pop("source_file"), cells.pop("source_row")
        one = read_outcome(_typed(cells), received_at)
        if isinstance(one, OutcomeEntry):
            read.append(one)
            continue
        rejected += [
            {"file": file, "row": row, "field": e.field, "message": e.message}
            for e in one
        ]
    outcomes = [read_outcome_table(outcome_log), outcome_table(read)]
    columns = ["file", "row", "field", "message"]
    return {
        "outcomes": pd.concat(outcomes, ignore_index=True),
        "rejected": pd.DataFrame(rejected, columns=columns),
    }


def match_outcomes(
    decision_log: Path,
    reported_outcomes: pd.DataFrame,
    rejected_outcomes: pd.DataFrame,
    outcomes: OutcomesParameters,
) -> dict[str, Any]:
    """Join the decisions with their outcomes.

    Args:
        decision_log: Folder of the log.
        reported_outcomes: All that were reported.
        rejected_outcomes: Faults of rows of files.
        outcomes: Window and moment.

    Returns:
        ``matured``: decisions with their status; ``unmatched``: outcomes kept aside;
        ``report``.
    """
    as_of = outcomes.as_of or datetime.now(UTC)
    joined = join_outcomes(
        read_decision_table(decision_log, outcomes.carried),
        reported_outcomes,
        window_months=outcomes.window_months,
        as_of=as_of,
    )
    report = outcomes_report(
        joined,
        window_months=outcomes.window_months,
        as_of=as_of.isoformat(),
        rejected_rows=len(rejected_outcomes[["file", "row"]].drop_duplicates()),
    )
    # Nobody needs to know who it was to measure a model.
    matured = joined.decisions.drop(columns="loan_id")
    return {"matured": matured, "unmatched": joined.unmatched, "report": report}


def _typed(cells: Mapping[Any, Any]) -> dict[Any, Any]:
    """Read an empty cell as nothing, and the number of ``bad`` as one."""
    given = {
        name: value for name, value in cells.items() if value or name not in FIELDS
    }
    if given.get("bad") in {"0", "1"}:
        given["bad"] = int(given["bad"])
    return given
