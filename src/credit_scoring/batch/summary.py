"""What a person reads of a finished job."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from credit_scoring.batch.state import DoneChunk

_REASONS_SHOWN = 20
_COUNTED = ("decisions", "bands", "roles")


def summarise(
    job: dict[str, Any],
    chunks: Sequence[DoneChunk],
    *,
    files: Sequence[str],
    repeated: int,
) -> dict[str, Any]:
    """Sum up a job; nothing in it depends on when or how often it was run.

    Args:
        job: As it was begun.
        chunks: All of its chunks, in order.
        files: Names of the inputs.
        repeated: Decisions on a loan id that another decision is on.
    """
    counts = [chunk.counts for chunk in chunks]
    rows, decided, rejected, degraded = (
        sum(count[name] for count in counts)
        for name in ("rows", "decided", "rejected", "degraded")
    )
    totals: dict[str, Counter[str]] = {
        name: sum((Counter(count[name]) for count in counts), Counter())
        for name in (*_COUNTED, "reasons")
    }
    scored = decided - degraded
    pd_sum = sum(count["pd_sum"] for count in counts)
    return {
        "job": job["job"],
        "scored_at": job["scored_at"],
        "rows": rows,
        "decided": decided,
        "rejected": rejected,
        "without_history": degraded,
        "repeated_loan_ids": repeated,
        "mean_pd": pd_sum / scored if scored else None,
        **{name: dict(sorted(totals[name].items())) for name in _COUNTED},
        "rejected_cells": dict(totals["reasons"].most_common(_REASONS_SHOWN)),
        "logged": job["identity"]["logged"],
        "files": [
            {
                "name": name,
                "rows": sum(c.counts["rows"] for c in chunks if c.file == place),
            }
            for place, name in enumerate(files)
        ],
        "chunks": len(chunks),
        "identity": job["identity"],
    }
