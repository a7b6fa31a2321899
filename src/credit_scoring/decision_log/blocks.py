"""Decisions of a batch in the log: files of columns, each tied to a line.

A line of JSON for each of ten million decisions would take longer than deciding. So
a batch's decisions are in Parquet files below the log's folder, and the chain holds
one line for each file, with its SHA-256.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from credit_scoring.decision_log.chain import link_of
from credit_scoring.decision_log.records import (
    BlockEntry,
    DecisionEntry,
    LoggedReason,
    read_segment_line,
)
from credit_scoring.digests import sha256_of_file

FOLDER = "blocks"
INPUT_PREFIX = "input."

_NAME = re.compile(r"\Ablocks/[0-9a-f]{32}/[0-9]{6,8}\.parquet\Z")
_MARK = b'"kind":"block"'
_ROWS = 4096
_DEGRADED = "degraded"


def block_name(job: str, number: int) -> str:
    """Name a block's file, relative to the log's folder.

    Args:
        job: 32 hex digits.
        number: Of the block in the job.
    """
    return f"{FOLDER}/{job}/{number:06d}.parquet"


def fault_of_block(folder: Path, entry: BlockEntry) -> str | None:
    """Say what is wrong with a block's file; None if nothing is."""
    if not _NAME.match(entry.file):
        return "names a block that is no file of the log"
    path = folder / entry.file
    if not path.is_file():
        return f"its block {entry.file} is missing"
    if sha256_of_file(path) != entry.sha256:
        return f"its block {entry.file} was altered: its digest is another"
    return None


def read_block(folder: Path, entry: BlockEntry) -> Iterator[DecisionEntry]:
    """Read the decisions of a block, in their order.

    Args:
        folder: Of the log.
        entry: The line of the block, which has no fault.
    """
    import pyarrow.parquet as pq

    models = {model.role: model for model in entry.models}
    policies = dict(zip(models, entry.policy_versions, strict=True))
    with pq.ParquetFile(folder / entry.file) as file:
        for batch in file.iter_batches(_ROWS, use_threads=False):
            for row in batch.to_pylist():
                yield _decision(row, entry, models[row["role"]], policies)


def listed_blocks(folder: Path, job: str, since: datetime) -> frozenset[str]:
    """Name the blocks of a job that stand in the chain already.

    Args:
        folder: Of the log.
        job: 32 hex digits.
        since: No line of the job is older.
    """
    found = set()
    first = since.strftime("%Y%m%dT%H%M%S")
    for path in sorted(folder.glob("*.jsonl")):
        if path.name >= first:
            found |= {e.file for e in blocks_of(path) if e.job == job}
    return frozenset(found)


def blocks_of(path: Path) -> Iterator[BlockEntry]:
    """Read the lines of a segment that stand for blocks, of files below `FOLDER`.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        for line in file:
            if _MARK not in line:
                continue
            link = link_of(line)
            said = None if link is None else read_segment_line(link.content)
            if isinstance(said, BlockEntry) and _NAME.match(said.file):
                yield said


def _decision(
    row: dict[str, Any], entry: BlockEntry, model: Any, policies: dict[str, str]
) -> DecisionEntry:
    degraded = row["margin"] is None
    inputs = {
        name.removeprefix(INPUT_PREFIX): value
        for name, value in row.items()
        if name.startswith(INPUT_PREFIX) and not (degraded and value is None)
    }
    return DecisionEntry(
        decision_id=row["decision_id"],
        loan_id=row["loan_id"],
        scored_at=entry.scored_at,
        arm=row["arm"],
        feature_source=_DEGRADED if degraded else "request",
        explained=entry.explained,
        inputs=inputs,
        features=None,
        margin=row["margin"],
        pd=row["pd"],
        score=row["score"],
        band=row["band"],
        decision=row["decision"],
        reasons=[
            LoggedReason(said["code"], said["feature"], said["points"])
            for said in row.get("reasons") or ()
        ],
        model=model,
        policy_version=policies[model.role],
    )
