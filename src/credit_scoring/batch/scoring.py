"""One chunk of rows to its decisions: a pure function, on whatever machine it runs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit_scoring.batch.chunks import Chunk
from credit_scoring.batch.decided import Decided, decide_rows
from credit_scoring.batch.identifiers import decision_ids
from credit_scoring.batch.models import BatchModels
from credit_scoring.batch.rejection import rejected_table
from credit_scoring.batch.tables import decision_table, logged_table
from credit_scoring.contract.tables import CheckedTable, TableCheck

Reasons = Literal["given", "all", "none"]


@dataclass(frozen=True)
class Asked:
    """What a job asks of every chunk.

    Attributes:
        job: Identifies the job, 32 hex digits; it begins every `decision_id`.
        scored_at: Time of all decisions, in UTC.
        reasons: ``given``: as `/predict` gives them; ``all``: of approvals, too, as
            with `?reasons=true`; ``none``.
        logged: Give what the decision log takes.
    """

    job: str
    scored_at: datetime
    reasons: Reasons = "given"
    logged: bool = True


@dataclass
class Counts:
    """What became of rows.

    Attributes:
        rows: All of them.
        decided: Those with a decision.
        rejected: Those that break the contract, or on which the model gives none.
        decisions: Decision -> count.
        bands: Band -> count.
        roles: Role of the model that decided -> count.
        degraded: Decided without a history.
        pd_sum: Sum of the PDs, in chunk order.
        reasons: What is wrong -> count of cells.
    """

    rows: int = 0
    decided: int = 0
    rejected: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    bands: Counter[str] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    degraded: int = 0
    pd_sum: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Give the counts as plain values."""
        return {
            name: dict(value) if isinstance(value, Counter) else value
            for name, value in vars(self).items()
        }


@dataclass(frozen=True)
class ScoredChunk:
    """What becomes of a chunk.

    Attributes:
        decisions: One row for each application decided on, in the chunk's order.
        rejected: One row for each broken cell; the values are in it.
        logged: What the decision log takes; None if it is not asked for.
        loan_ids: Of the decisions.
        counts: What became of the rows.
    """

    decisions: pa.Table
    rejected: pa.Table
    logged: pa.Table | None
    loan_ids: pa.Array
    counts: Counts


def score_chunk(
    chunk: Chunk, check: TableCheck, models: BatchModels, asked: Asked, *, name: str
) -> ScoredChunk:
    """Judge a chunk's rows and decide on those that keep the contract.

    Nothing but the arguments counts: not the time, the machine, or other chunks.

    Args:
        chunk: The rows.
        check: Of the file's columns.
        models: Who decides.
        asked: What the job asks for.
        name: Of the file, for rejected rows.
    """
    table = check.check(chunk.batch)
    good = np.flatnonzero(~table.broken)
    decided = decide_rows(table, check, models, good, reasons=asked.reasons)
    failed = good[decided.failed]
    kept = np.delete(good, decided.failed) if len(failed) else good
    decided = decided.kept()
    ids = decision_ids(asked.job, chunk.number, kept)
    loan_ids = table.loan_ids if len(kept) == len(table) else table.loan_ids.take(kept)
    rejected = rejected_table(chunk, table, name=name, failed=failed)
    return ScoredChunk(
        decisions=decision_table(ids, loan_ids, decided, models, asked.scored_at),
        rejected=rejected,
        logged=(
            logged_table(ids, kept, loan_ids, table, decided, models.contract)
            if asked.logged
            else None
        ),
        loan_ids=loan_ids,
        counts=_counted(chunk, table, decided, rejected, len(failed)),
    )


def _counted(
    chunk: Chunk, table: CheckedTable, decided: Decided, rejected: pa.Table, failed: int
) -> Counts:
    scored = ~np.isnan(decided.pd_)
    reasons = Counter(
        f"{column}: {reason}"
        for column, reason in zip(
            rejected["column"].to_pylist(), rejected["reason"].to_pylist(), strict=True
        )
    )
    return Counts(
        rows=len(table) + len(chunk.odd),
        decided=len(decided.pd_),
        rejected=int(table.broken.sum()) + len(chunk.odd) + failed,
        decisions=_tally(decided.outcome, ("approve", "refer", "decline")),
        bands=_tally(decided.band[scored], decided.band_codes),
        roles=_tally(decided.role, ("champion", "challenger")),
        degraded=int((~scored).sum()),
        pd_sum=float(decided.pd_[scored].sum()),
        reasons=reasons,
    )


def _tally(codes: NDArray[np.int64], names: tuple[str, ...]) -> Counter[str]:
    counts = np.bincount(codes, minlength=len(names)).tolist()
    found: Mapping[str, int] = dict(zip(names, counts, strict=True))
    return Counter({name: count for name, count in found.items() if count})
